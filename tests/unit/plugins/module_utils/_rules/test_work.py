# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes read and look at many rules: what there is to say is what one says, whatever becomes of the second."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import pytest

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules import pair, shares, twin, work
from ansible_collections.ias.observability.plugins.module_utils._rules.check import Result, check, normalised
from ansible_collections.ias.observability.plugins.module_utils._rules.context import Index, Settings
from ansible_collections.ias.observability.plugins.module_utils._rules.files import Source
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule

GROUP: list[dict[str, object]] = [
    *({"alert": f"A{number}", "expr": f"up{{n='{number}'}} == 0", "for": "5m"} for number in range(7)),
    {"record": "job:up:sum", "expr": "sum by (job) (up)", "labels": {"team": "'ü\n"}},
    {
        "alert": "Recorded",
        "expr": "job:up:sum < 1",
        "keep_firing_for": "1m",
        "annotations": {"summary": "{{ $labels.pod }}"},
    },
    {"alert": "Broken", "expr": "up =="},
]


def source(number: int) -> Source:
    """Rules, a key that nobody knows, and groups with labels and an interval; one file in seven is a list."""
    group = {"name": f"g{number}", "interval": "1m", "labels": {"number": str(number)}, "rules": GROUP}
    spec = {"groups": [group, {"name": "empty"}, {"nome": "g"}]}
    if number % 7:
        return Source(f"{number}.yaml", json.dumps(spec, indent=1))
    items = [{"kind": "PrometheusRule", "metadata": {"name": f"r{item}"}, "spec": spec} for item in range(2)]
    return Source(f"{number}.yaml", json.dumps({"kind": "List", "items": items}))


SOURCES = [source(number) for number in range(20)]


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """There are two cores, and work for both. The children of a test: none may be left, running or unasked for."""
    fork, forked = os.fork, list[int]()

    def noted() -> int:
        child = fork()
        forked.append(child)
        return child

    monkeypatch.setattr(shares, "cores", lambda: 2)
    monkeypatch.setattr(shares, "WORTH_SHARING", 1)
    monkeypatch.setattr(os, "fork", noted)
    yield forked
    for child in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def alone(sources: Sequence[Source], monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(shares, "WORTH_SHARING", sys.maxsize)
    return check(sources, Profile())


@pytest.mark.parametrize("sources", [SOURCES, SOURCES[:2], SOURCES[7:8]], ids=["many", "two", "one"])
def test_two_say_what_one_says(sources: list[Source], children: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    shared = check(sources, Profile())
    assert len(children) == 1
    one = alone(sources, monkeypatch)
    assert len(children) == 1
    assert {"load/promql", "load/unknown-field", "rules/template-label", "metadata/runbook", "rules/duplicate"} <= {
        finding.id for finding in one.findings
    }
    assert shared.findings == one.findings
    assert normalised(shared.files) == normalised(one.files)
    assert [told(file.groups[0].rules[-1]) for file in shared.files] == [
        told(file.groups[0].rules[-1]) for file in one.files
    ]


def told(rule: Rule) -> list[object]:
    """What `normalised` does not say of a rule."""
    file = rule.group.file
    return [rule.scalars, rule.place_in_expr(2), rule.group.interval, file.text, file.profile, file.manifest]


def test_each_of_the_two_looks_at_about_half(children: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def look(rules: Sequence[Rule], _index: Index, _settings: Settings) -> list[Finding]:
        return [Finding(str(os.getpid()), "info", f"{rule.group.file.path} {rule.name}") for rule in rules]

    monkeypatch.setattr(pair, "look", look)
    files, _index, found = work.Work(SOURCES, Profile(), Settings()).done()
    looked = [finding for finding in found if finding.id.isdigit()]
    assert sorted(finding.message for finding in looked) == sorted(
        f"{file.path} {rule.name}" for file in files for group in file.groups for rule in group.rules
    )
    counts = [sum(finding.id == str(pid) for finding in looked) for pid in (os.getpid(), *children)]
    assert len(counts) == 2
    assert min(counts) > 0.45 * sum(counts)


def fail() -> None:
    raise ValueError("not told")


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), 9), lambda: os._exit(0), fail, sys.exit])
@pytest.mark.parametrize(
    "at", [(work, "outline"), (pair, "unpack"), (pair, "look"), (pair, "pack")], ids=lambda at: at[1]
)
def test_what_a_lost_child_did_not_tell_is_done_again(
    at: tuple[ModuleType, str],
    end: Callable[[], None],
    children: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    here, real = os.getpid(), getattr(*at)

    def done(*given: object) -> object:
        if os.getpid() != here:
            end()
        return real(*given)

    monkeypatch.setattr(*at, done)
    found = check(SOURCES, Profile())
    assert len(children) == 1
    assert found.findings == alone(SOURCES, monkeypatch).findings
    assert capfd.readouterr() == ("", "")


def test_an_error_here_is_told(children: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> object:
        raise ValueError("it is here")

    monkeypatch.setattr(pair, "look", broken)
    with pytest.raises(ValueError, match="it is here"):
        check(SOURCES, Profile())
    assert len(children) == 1


def test_without_a_second_process_one_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_twin: twin.Twin) -> None:
        raise twin.LostError

    monkeypatch.setattr(twin.Twin, "__init__", refuse)
    found = check(SOURCES, Profile()).findings
    assert found == alone(SOURCES, monkeypatch).findings
