# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The custom resource definitions of a chart, kept at the chart's version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from .._kube.client import Cluster, Object
from .._kube.errors import KubeError
from . import manifest

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POLL_SECONDS = 0.5


class Change(NamedTuple):
    """What was, or would be, done to one definition."""

    name: str
    action: Literal["none", "created", "updated"]


def definitions(text: str) -> list[Object]:
    return [item for item in manifest.parse(text) if item.get("kind") == "CustomResourceDefinition"]


def apply(
    cluster: Cluster, wanted: Iterable[Object], *, manager: str, dry_run: bool
) -> Iterator[tuple[Change, Object]]:
    """Apply each definition, and give it as it is then; the API itself tells whether that changes anything."""
    for item in wanted:
        path = f"{PATH}/{item['metadata']['name']}"
        before = cluster.find(path)
        # An apply costs the API server half a second for each: not where it is plain that nothing differs.
        same = before is not None and _same(before, item)
        after = before if before and same else cluster.apply(path, item, manager=manager, dry_run=dry_run)
        yield Change(item["metadata"]["name"], _action(before, after)), after


def _same(live: Object, wanted: Object) -> bool:
    """The very same schemas, and beside them everything wanted; the API adds defaults there."""
    return live["spec"]["versions"] == wanted["spec"]["versions"] and all(
        _within(wanted.get(part), live.get(part)) for part in ("metadata", "spec")
    )


def _within(wanted: object, live: object) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_within(value, live.get(key)) for key, value in wanted.items())
    return wanted == live


def _action(before: Object | None, after: Object) -> Literal["none", "created", "updated"]:
    if before is None:
        return "created"
    return "none" if _content(before) == _content(after) else "updated"


def _content(item: Object) -> tuple[object, ...]:
    """What counts: not who owns which field, nor the versions that a dry run makes up."""
    metadata = item["metadata"]
    return item["spec"], metadata.get("labels"), metadata.get("annotations")


def wait_established(
    cluster: Cluster,
    names: Iterable[str],
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    end = clock() + timeout
    left = list(names)
    while left := [name for name in left if not is_established(cluster.get(f"{PATH}/{name}"))]:
        if clock() >= end:
            raise KubeError(
                f"the API does not serve {', '.join(left)} after {timeout:.0f} s", "See: kubectl describe crd"
            )
        sleep(POLL_SECONDS)


def is_established(item: Object) -> bool:
    conditions = (item.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def diff(changes: Iterable[Change]) -> dict[str, str]:
    """One line for each definition: schemas of thousands of lines would hide the rest of a run's diff."""
    made = [change for change in changes if change.action != "none"]
    return {
        "before": "".join(f"{change.name}: {'older' if change.action == 'updated' else 'absent'}\n" for change in made),
        "after": "".join(f"{change.name}: the chart's\n" for change in made),
    }
