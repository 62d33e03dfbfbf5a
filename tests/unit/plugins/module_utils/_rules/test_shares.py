# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes look at many rules: the findings are those of one, whatever becomes of the second."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence

import pytest

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rules import shares
from ansible_collections.ias.observability.plugins.module_utils._rules.check import Source, check
from ansible_collections.ias.observability.plugins.module_utils._rules.load import outline
from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule
from ansible_collections.ias.observability.plugins.module_utils._rules.report import Report

MANY = shares.WORTH_SHARING


def source(count: int) -> Source:
    """Alerts; one of ten uses what one of ten records, and one of ten cannot be parsed."""
    kinds: list[dict[str, object]] = [
        {"alert": f"A{number}", "expr": f"up{{n='{number}'}} == 0"} for number in range(7)
    ]
    kinds += [
        {"record": "job:up:sum", "expr": "sum by (job) (up)"},
        {
            "alert": "Recorded",
            "expr": "job:up:sum < 1",
            "annotations": {"summary": "{{ $labels.pod }}"},
        },
        {"alert": "Broken", "expr": "up =="},
    ]
    rules = [kinds[number % len(kinds)] for number in range(count)]
    return Source("r.yaml", json.dumps({"groups": [{"name": "g", "rules": rules}]}))


def rules(count: int = MANY) -> list[Rule]:
    text = source(count).text
    return [rule for file in outline("r.yaml", text, Profile(), Report()) for rule in file.groups[0].rules]


def pids(looked: Sequence[Rule]) -> list[Finding]:
    return [Finding(str(os.getpid()), "info", rule.name, "'ü\n", "f", 1, 2, "o", {"n": [1]}) for rule in looked]


@pytest.fixture(autouse=True)
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """There are two cores. The children that a test has forked; none may be left, running or unasked for."""
    fork, forked = os.fork, list[int]()

    def noted() -> int:
        child = fork()
        forked.append(child)
        return child

    monkeypatch.setattr(shares, "_cores", lambda: 2)
    monkeypatch.setattr(os, "fork", noted)
    yield forked
    for child in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def test_each_of_two_processes_looks_at_half(children: list[int]) -> None:
    looked = rules()
    found = shares.look_at(looked, pids)
    ours = [finding for finding in found if finding.id == str(os.getpid())]
    assert len(ours) == MANY // 2
    assert {finding.id for finding in found} == {str(os.getpid()), *map(str, children)}
    assert len(children) == 1
    assert sorted(finding.message for finding in found) == sorted(rule.name for rule in looked)
    assert {(one.hint, one.file, one.line, one.column, one.object, str(one.evidence)) for one in found} == {
        ("'ü\n", "f", 1, 2, "o", "{'n': [1]}")
    }


def test_the_findings_are_those_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = check([source(MANY)], Profile()).findings
    monkeypatch.setattr(shares, "WORTH_SHARING", MANY + 1)
    alone = check([source(MANY)], Profile()).findings
    assert {"load/promql", "rules/template-label", "metadata/runbook", "rules/duplicate"} <= {one.id for one in alone}
    assert shared == alone


def fail() -> None:
    raise ValueError("not told")


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), 9), lambda: os._exit(0), fail, sys.exit])
def test_what_a_lost_child_did_not_tell_is_done_again(
    end: Callable[[], None], children: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    here = os.getpid()

    def look(looked: Sequence[Rule]) -> list[Finding]:
        if os.getpid() != here:
            end()
        return pids(looked)

    found = shares.look_at(rules(), look)
    assert [finding.id for finding in found] == [str(here)] * MANY
    assert len(children) == 1
    assert capfd.readouterr() == ("", "")


def test_an_error_here_is_told(children: list[int]) -> None:
    def look(_looked: Sequence[Rule]) -> list[Finding]:
        raise ValueError("it is here")

    with pytest.raises(ValueError, match="it is here"):
        shares.look_at(rules(), look)
    assert len(children) == 1


def test_without_a_second_process_one_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more processes")

    pipe = os.pipe()
    monkeypatch.setattr(os, "pipe", lambda: pipe)
    monkeypatch.setattr(os, "fork", refuse)
    assert {finding.id for finding in shares.look_at(rules(), pids)} == {str(os.getpid())}
    for end in pipe:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)


@pytest.mark.parametrize(("count", "cores"), [(MANY - 1, 2), (MANY, 1)])
def test_few_rules_or_one_core_share_nothing(count: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "_cores", lambda: cores)
    assert {finding.id for finding in shares.look_at(rules(count), pids)} == {str(os.getpid())}


def test_what_other_rules_ask_for_stays_here() -> None:
    mine, theirs = shares.shares(rules())
    assert len(mine) == len(theirs) == MANY // 2
    assert {rule.name for rule in theirs}.isdisjoint({"job:up:sum", "Recorded"})
    assert {"job:up:sum", "Recorded"} < {rule.name for rule in mine}
