# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a cluster at one moment, and which of them a selector takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._findings import did_you_mean

Object = Mapping[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Objects:
    """Lists as the API gives them, by the plural of their kind. `unread` says why a kind could not be read."""

    kinds: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    """namespace/pod → the end of its log."""
    moment: float = 0.0
    """When it was read, in seconds since the epoch by the API server's clock; 0 where that is not known."""

    def of(self, kind: str, namespace: str = "") -> list[Object]:
        """All of a kind; of one namespace where it is named."""
        return [item for item in self.kinds.get(kind, ()) if namespace in {"", space_of(item)}]

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        return next((item for item in self.of(kind, namespace) if name_of(item) == name), None)

    def joined(self, other: Objects) -> Objects:
        """Both; of a kind that both have, the other's."""
        return Objects(
            {**self.kinds, **other.kinds}, {**self.unread, **other.unread}, {**self.logs, **other.logs}, self.moment
        )

    def knows(self, kind: str) -> bool:
        """Whether absence of an object of this kind means something."""
        return kind in self.kinds


def metadata(item: Object) -> Mapping[str, Any]:
    return item.get("metadata") or {}


def name_of(item: Object) -> str:
    return str(metadata(item).get("name", ""))


def space_of(item: Object) -> str:
    return str(metadata(item).get("namespace", ""))


def full_name(item: Object) -> str:
    return f"{space_of(item)}/{name_of(item)}" if space_of(item) else name_of(item)


def labels_of(item: Object) -> Labels:
    return metadata(item).get("labels") or {}


def spec_of(item: Object) -> Mapping[str, Any]:
    return item.get("spec") or {}


def status_of(item: Object) -> Mapping[str, Any]:
    return item.get("status") or {}


def terms(selector: Mapping[str, Any] | None) -> list[tuple[str, str, tuple[str, ...]]]:
    """A LabelSelector as (label, operator, values)."""
    selector = selector or {}
    found = [(name, "In", (str(value),)) for name, value in (selector.get("matchLabels") or {}).items()]
    return found + [
        (entry["key"], entry["operator"], tuple(map(str, entry.get("values") or ())))
        for entry in selector.get("matchExpressions") or []
    ]


def holds(term: tuple[str, str, tuple[str, ...]], labels: Labels) -> bool:
    name, operator, values = term
    if operator == "In":
        return labels.get(name) in values
    if operator == "NotIn":
        return labels.get(name) not in values
    return (name in labels) == (operator == "Exists")


def selects(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Whether a LabelSelector takes these labels; an empty one takes all."""
    return all(holds(term, labels) for term in terms(selector))


def term_text(term: tuple[str, str, tuple[str, ...]]) -> str:
    name, operator, values = term
    if operator in {"Exists", "DoesNotExist"}:
        return name if operator == "Exists" else f"!{name}"
    sign = "=" if len(values) == 1 else " in "
    shown = values[0] if len(values) == 1 else f"({', '.join(values)})"
    return f"{name}{'!' if operator == 'NotIn' and len(values) == 1 else ''}{sign}{shown}"


def mismatch(selector: Mapping[str, Any] | None, label_sets: Mapping[str, Labels]) -> str:
    """Why a selector takes none of the named label sets, by the one that comes nearest."""
    wanted = terms(selector)
    if not label_sets:
        return f"there is none to select with {', '.join(map(term_text, wanted)) or 'anything'}"

    def likeness(entry: tuple[str, Labels]) -> tuple[int, int]:
        _name, labels = entry
        near = sum(bool(did_you_mean(value, (labels.get(term[0], ""),))) for term in wanted for value in term[2])
        return sum(holds(term, labels) for term in wanted), near

    name, labels = max(label_sets.items(), key=likeness)
    failed = [term for term in wanted if not holds(term, labels)]
    if not failed:
        return ""
    told = " and ".join(map(term_text, failed))
    absent = [term for term in failed if term[0] not in labels and term[1] == "In"]
    if len(failed) == len(wanted) and not any(value in labels.values() for term in failed for value in term[2]):
        near = [term for term in failed if did_you_mean(labels.get(term[0], ""), term[2])]
        if not near:
            return f"none has {told}"
    if absent:
        key = did_you_mean(absent[0][0], labels)
        return f"none has {told}; the nearest, {name}, has no label {absent[0][0]}{key and f' ({key})'}"
    have = ", ".join(f"{term[0]}={labels.get(term[0], '')}" for term in failed)
    return f"none has {told}; the nearest, {name}, has {have}"


def warnings(objects: Objects, kind: str, namespace: str, name: str) -> list[str]:
    """Warning events about an object, the newest first."""
    found = [
        event
        for event in objects.of("events", namespace)
        if event.get("type") == "Warning"
        and (event.get("involvedObject") or {}).get("kind") == kind
        and (event.get("involvedObject") or {}).get("name") == name
    ]
    found.sort(key=_when, reverse=True)
    return [f"{event.get('reason', '')}: {one_line(str(event.get('message', '')))}" for event in found]


def _when(event: Object) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next(filter(None, times), metadata(event).get("creationTimestamp") or ""))


def one_line(text: str, most: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most]}…"


def by_name(items: Iterable[Object]) -> dict[str, Object]:
    return {full_name(item): item for item in items}


def containers(pod: Object) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The status of each container, and whether it is an init container."""
    status = status_of(pod)
    for entry in status.get("initContainerStatuses") or []:
        yield entry, True
    for entry in status.get("containerStatuses") or []:
        yield entry, False
