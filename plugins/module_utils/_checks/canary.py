# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the numbered lines of the canary pods come back from Loki: all, once, whole, in order, in time?"""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .._canary.lines import Line
from .._findings import Finding
from .result import CheckResult

MAX_NUMBERED = 5


class Found(NamedTuple):
    """One line in Loki."""

    moment: int
    """When it was written, in nanoseconds since the epoch."""
    number: int
    text: str


class Cause(NamedTuple):
    """Why lines of a node are missing or cut, as far as it is known."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What Loki has of the lines of one node."""

    missing: Sequence[Line] = ()
    twice: Sequence[Line] = ()
    cut: Mapping[Line, int] = field(default_factory=dict)
    """How many bytes came back of a line that is longer."""
    changed: Sequence[Line] = ()
    disordered: Sequence[tuple[int, int]] = ()
    """A line and an earlier one that has a later time."""

    @property
    def damaged(self) -> int:
        return len({*self.missing, *self.twice, *self.cut, *self.changed})


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of the lines that were written on one node."""

    node: str
    lines: Sequence[Line]
    reading: Reading
    latencies: Sequence[float] = ()
    """Seconds from writing a line until it could be read, of each that was."""
    unfinished: str = ""
    """Why its pod has not written all lines; empty where it has."""


def compare(lines: Sequence[Line], found: Sequence[Found]) -> Reading:
    """The lines that were written beside those that were found, which are in the order of their times."""
    times = Counter(one.number for one in found)
    texts = {one.number: one.text for one in found}
    cut = {line: len(texts[line.number]) for line in lines if _is_cut(line.text, texts.get(line.number, line.text))}
    changed = [line for line in lines if texts.get(line.number, line.text) != line.text and line not in cut]
    return Reading(
        missing=[line for line in lines if line.number not in times],
        twice=[line for line in lines if times[line.number] > 1],
        cut=cut,
        changed=changed,
        disordered=_disordered(found),
    )


def _is_cut(written: str, read: str) -> bool:
    """It may end with the mark of who cut it."""
    return len(read) < len(written) and read[: len(read) // 2] == written[: len(read) // 2]


def _disordered(found: Sequence[Found]) -> list[tuple[int, int]]:
    """Each line that stands before one with a smaller number, though its time is the earlier one."""
    return [
        (later.number, earlier.number)
        for earlier, later in itertools.pairwise(found)
        if later.number < earlier.number and later.moment > earlier.moment
    ]


def check_no_image() -> CheckResult:
    """Without a collector there is nothing to take the image of."""
    message = "no collector is ready on any node: no log is read, and there is no image to write lines with"
    hint = "Look at the collector's DaemonSet, or correct collector_labels; image names an image with a shell"
    return CheckResult(0, 0, [Finding("canary/no-collector", "error", message, hint)])


def check_canary(
    results: Sequence[NodeResult], late_after: float, causes: Mapping[str, Cause] | None = None
) -> CheckResult:
    """All lines of all nodes are in Loki as they were written. `causes` by node."""
    if not results:
        nothing = Finding("canary/no-node", "error", "no node takes pods: no line was written", "Check the nodes")
        return CheckResult(0, 0, [nothing])
    findings = [
        finding
        for result in results
        for finding in _node_findings(result, late_after, (causes or {}).get(result.node, Cause("", "")))
    ]
    written = sum(len(result.lines) for result in results)
    damaged = sum(len(result.lines) if result.unfinished else result.reading.damaged for result in results)
    facts = {
        "nodes": {result.node: _figures([result]) for result in results},
        "all_nodes": _figures(results),
    }
    return CheckResult(written, written - damaged, findings, facts)


def _figures(results: Sequence[NodeResult]) -> dict[str, object]:
    """Lines, and seconds from writing a line until it could be read."""
    written = sum(len(result.lines) for result in results)
    latencies = sorted(latency for result in results for latency in result.latencies)
    figures: dict[str, object] = {
        "written": written,
        "read": written - sum(len(result.reading.missing) for result in results),
        "twice": sum(len(result.reading.twice) for result in results),
    }
    return figures | {name: round(seconds, 1) for name, seconds in quantiles(latencies).items()}


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Of values in their order; nothing where there are fewer than two."""
    if len(values) < 2:
        return {}
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": percentiles[49], "p95": percentiles[94], "max": values[-1]}


def _node_findings(result: NodeResult, late_after: float, cause: Cause) -> list[Finding]:
    where, reading = f"node {result.node}", result.reading
    if result.unfinished:
        message = f"the canary pod of this node has not written its lines: {result.unfinished}"
        hint = "Look at the pod's events; the option image names another image with a shell"
        return [Finding("canary/not-written", "error", message, hint, object=where)]
    findings = []
    because = f"{cause.message}: " if cause.message else ""
    if reading.missing:
        hint = cause.hint or "Look at the collector's log on that node, then at Loki's"
        message = f"{because}{_counted(reading.missing, result.lines)} not in Loki"
        evidence = {"lines": ranges([line.number for line in reading.missing])}
        findings.append(Finding("canary/lost", "error", message, hint, object=where, evidence=evidence))
    if reading.cut:
        line, size = next(iter(reading.cut.items()))
        hint = cause.hint or "Look at Loki's limits_config.max_line_size and at the collector's stages cri and truncate"
        message = (
            f"{because}{_counted(reading.cut, result.lines)} cut: "
            f"line {line.number} ({line.kind}) came back with {size} of {len(line.text)} bytes"
        )
        findings.append(Finding("canary/truncated", "error", message, hint, object=where))
    if reading.twice:
        message = f"{_counted(reading.twice, result.lines)} in Loki more than once"
        hint = "Look for a second collector that reads the same files, and for positions that a restart has lost"
        findings.append(Finding("canary/duplicate", "error", message, hint, object=where))
    if reading.changed:
        message = f"{_counted(reading.changed, result.lines)} in Loki with another text"
        hint = "Look at the collector's stages that replace or pack lines"
        findings.append(Finding("canary/changed", "error", message, hint, object=where))
    if reading.disordered:
        number, before = reading.disordered[0]
        message = f"line {number} has a later time than line {before}, which was written after it"
        hint = "The collector must take the time that the container runtime wrote (stage cri), not its own"
        findings.append(Finding("canary/disordered", "error", message, hint, object=where))
    late = [latency for latency in result.latencies if latency > late_after]
    if late:
        message = (
            f"{len(late)} of {len(result.lines)} numbered lines could be read later than {late_after:.0f} s after "
            f"they were written, the last after {max(late):.0f} s"
        )
        hint = "Look at the collector's queue (loki_write_*) and at Loki's load"
        findings.append(Finding("canary/late", "error", message, hint, object=where))
    return findings


def ranges(numbers: Iterable[int]) -> str:
    """1-3, 7: numbers in their order, those beside each other as one."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ", ".join(str(group[0]) if len(group) == 1 else f"{group[0]}-{group[-1]}" for group in groups)


def _counted(some: Iterable[Line], lines: Sequence[Line]) -> str:
    """12 of 1027 numbered lines (12 burst; the first are 1016-1020) are"""
    chosen = list(some)
    if len(chosen) == len(lines):
        return f"all {len(lines)} numbered lines are"
    kinds = Counter(line.kind for line in chosen)
    named = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    numbers = ranges(line.number for line in chosen[:MAX_NUMBERED])
    first = "the first are " if len(chosen) > MAX_NUMBERED else ""
    verb = "is" if len(chosen) == 1 else "are"
    return f"{len(chosen)} of {len(lines)} numbered lines ({named}; {first}{numbers}) {verb}"
