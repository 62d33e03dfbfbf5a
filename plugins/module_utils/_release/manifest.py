# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests as objects, and the difference of two as text that shows no secret."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from .._kube.client import Object
from .._kube.errors import KubeError

with suppress(ImportError):  # told by _kube.connect()
    import yaml

_DOCUMENT = re.compile(r"^---.*$", re.MULTILINE)
_HEAD = re.compile(r"^(kind|apiVersion): *[\"']?([\w./-]+)", re.MULTILINE)
HIDDEN = "(hidden)"
CHANGED = "(hidden, changed)"


class Key(NamedTuple):
    """What identifies an object within one manifest."""

    kind: str
    namespace: str
    name: str
    api_version: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def parse(text: str) -> list[Object]:
    """The objects of a YAML stream, in order; lists are taken apart."""
    try:
        documents = [item for item in yaml.load_all(text, Loader=_loader()) if isinstance(item, dict)]
    except yaml.YAMLError as error:
        raise KubeError(f"the chart renders something that is not YAML: {' '.join(str(error).split())}") from error
    objects: list[Object] = []
    for document in documents:
        objects.extend(document["items"] if str(document.get("kind", "")).endswith("List") else [document])
    return objects


def outline(text: str, kinds: Collection[str], mark: str) -> list[Object]:
    """The objects of these kinds, and those with `mark` in their text; of others only what kind they are.

    A chart's dashboards and rules are a megabyte of YAML that takes a second to read.
    """
    objects: list[Object] = []
    for document in _DOCUMENT.split(text):
        found = dict(_HEAD.findall(document))
        if found.get("kind", "List") in kinds or found.get("kind", "List").endswith("List") or mark in document:
            objects += parse(document)
        else:
            objects.append(found)
    return objects


def keyed(objects: Iterable[Object]) -> dict[Key, Object]:
    return {key_of(item): item for item in objects}


def key_of(item: Object) -> Key:
    metadata = item.get("metadata") or {}
    return Key(item["kind"], metadata.get("namespace") or "", metadata["name"], item["apiVersion"])


def diff(before: str, after: str) -> dict[str, str]:
    """The objects that differ, as Ansible's diff; empty when none does. Secrets show that they changed, not to what."""
    if before == after:
        return {}
    old, new = (keyed(map(_asked, parse(text))) for text in (before, after))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if not changed:
        return {}
    return {
        "before": "".join(_text(old[key], None) for key in changed if key in old),
        "after": "".join(_text(new[key], old.get(key)) for key in changed if key in new),
    }


def _asked(item: Object) -> Object:
    """Without what a chart copies from the live cluster: Grafana's names the volume that its claim was bound to."""
    if item["kind"] != "PersistentVolumeClaim":
        return item
    return {**item, "spec": {name: value for name, value in item["spec"].items() if name != "volumeName"}}


def _text(item: Object, other: Object | None) -> str:
    return "---\n" + yaml.dump(_masked(item, other), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def _masked(item: Object, other: Object | None) -> Object:
    if item["kind"] != "Secret":
        return item
    hidden = dict(item)
    for part in ("data", "stringData"):
        if isinstance(item.get(part), dict):
            before = (other or item).get(part) or {}
            hidden[part] = {key: HIDDEN if before.get(key) == value else CHANGED for key, value in item[part].items()}
    return hidden


@functools.cache
def _loader() -> Any:
    """The C loader (ten times as fast), which takes a plain `=` for text: one of the operator's CRDs has it as enum."""
    base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Loader", (base,), {})
    loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)
    return loader
