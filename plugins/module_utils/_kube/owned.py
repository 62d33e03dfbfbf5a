# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of one kind that belong to us, by their labels: made what is desired, and deleted when no longer desired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .client import Cluster, Object
from .errors import ApiError, KubeError


class Change(NamedTuple):
    """What is, or would be, done to one object; `before` or `after` is None where there is none."""

    name: str
    action: Literal["none", "created", "updated", "deleted"]
    before: Object | None
    after: Object | None


@dataclass(frozen=True)
class Owned:
    """The objects at the API path `collection` that carry the labels. `kind` is for messages."""

    cluster: Cluster
    collection: str
    kind: str
    labels: Mapping[str, str]

    def plan(self, desired: Mapping[str, Object], *, prune_limit: int, may_lack: bool) -> list[Change]:
        """What it takes to have the desired objects, by name, and no other of ours. The API has accepted each of them.

        Nothing is deleted where nothing is desired. `may_lack`: the namespace or the kind may be missing still.
        Raises KubeError: for an object of another owner, and for more deletions than `prune_limit`.
        """
        observed = {item["metadata"]["name"]: item for item in self._observed(may_lack)}
        changes = [self._change(name, body, observed.get(name), may_lack) for name, body in desired.items()]
        stale = [item for name, item in observed.items() if name not in desired] if desired else []
        if len(stale) > prune_limit:
            names = ", ".join(item["metadata"]["name"] for item in stale)
            message = (
                f"{len(stale)} objects of kind {self.kind} have no file any more, more than {prune_limit}: {names}"
            )
            raise KubeError(message, "Nothing was changed. Check the list of files, or raise the limit")
        return changes + [Change(item["metadata"]["name"], "deleted", item, None) for item in stale]

    def apply(self, changes: Iterable[Change], desired: Mapping[str, Object]) -> None:
        """Write what was planned; ApiError 409 where somebody has changed an object since."""
        for change in changes:
            path = f"{self.collection}/{change.name}"
            if change.action == "created":
                self.cluster.create(self.collection, self._body(change.name, desired[change.name]))
            elif change.before and change.action == "updated":
                self.cluster.patch(path, self._body(change.name, desired[change.name], change.before))
            elif change.before and change.action == "deleted":
                self.cluster.delete(path, change.before["metadata"]["resourceVersion"])

    def _observed(self, may_lack: bool) -> Sequence[Object]:
        selector = ",".join(f"{name}={value}" for name, value in self.labels.items())
        try:
            return list(self.cluster.items(self.collection, labelSelector=selector))
        except ApiError as error:
            if error.status == 404 and may_lack:
                return ()
            raise

    def _change(self, name: str, body: Object, before: Object | None, may_lack: bool) -> Change:
        content = self._body(name, body, before)
        if before:
            after = self.cluster.patch(f"{self.collection}/{name}", content, dry_run=True)
            return Change(name, "none" if _content(before) == _content(after) else "updated", before, after)
        try:
            return Change(name, "created", None, self.cluster.create(self.collection, content, dry_run=True))
        except ApiError as error:
            if error.status == 404 and may_lack:
                return Change(name, "created", None, content)
            if error.status == 409:
                raise KubeError(
                    f"{self.kind} {name} exists and has another owner: it lacks the labels {dict(self.labels)}",
                    "Nothing was changed. Rename the file, or delete that object",
                ) from error
            raise

    def _body(self, name: str, body: Object, before: Object | None = None) -> Object:
        version = {"resourceVersion": before["metadata"]["resourceVersion"]} if before else {}
        return {**body, "metadata": {"name": name, "labels": dict(self.labels), **version}}


def _content(item: Object) -> tuple[object, object]:
    """What counts: not the versions that a dry run makes up, nor who owns which field."""
    return item.get("spec"), item["metadata"].get("labels")
