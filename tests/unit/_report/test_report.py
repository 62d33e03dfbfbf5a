# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report of several proofs, in each of its forms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._report.data import (
    MAX_HISTORY,
    ctrf,
    read_history,
    report_json,
)
from ansible_collections.ias.observability.plugins.module_utils._report.html import MAX_FINDINGS, page
from ansible_collections.ias.observability.plugins.module_utils._report.proofs import (
    PastRun,
    Proof,
    Run,
    errors_by_service,
    read_proof,
)

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)> & \"'"
SERVICES = ("api-router", "vllm", "postgres")


def finding(message: str = "it is down", **fields: Any) -> dict[str, Any]:
    return {"id": "logs/missing", "severity": "error", "message": message, "hint": "", "object": "", **fields}


def proof(*findings: dict[str, Any], name: str = "logs") -> Proof:
    return read_proof(name, name.title(), {"findings": list(findings), "summary": {"checked": 3, "passed": 2}})


def run_of(*proofs: Proof, **fields: Any) -> Run:
    return Run(proofs, started="2026-03-01T02:00:00+00:00", cluster="prod", services=SERVICES, **fields)


class Outline(HTMLParser):
    """The tags of a page with their attributes, and the texts of each kind of tag."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())


def test_no_text_of_a_service_becomes_markup_and_nothing_is_requested() -> None:
    hostile = finding(HOSTILE, object=HOSTILE, hint=HOSTILE, id=HOSTILE, evidence={HOSTILE: HOSTILE})
    read = read_proof("logs", HOSTILE, {"findings": [hostile], "trace": {"id": HOSTILE, "spans": [HOSTILE]}})
    text = page(replace(run_of(read, versions=((HOSTILE, HOSTILE),)), cluster=HOSTILE, services=(HOSTILE,)))
    outline = Outline(text)
    assert {tag for tag, _attributes in outline.tags} & {"script", "img", "link", "iframe", "object"} == set()
    assert all(not name.startswith("on") for _tag, attributes in outline.tags for name in attributes)
    assert all((attributes.get("href") or "#").startswith("#") for _tag, attributes in outline.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert HOSTILE in "".join(outline.texts["h3"])


def test_the_page_begins_with_the_cause() -> None:
    text = page(run_of(proof(name="targets"), proof(finding("Alloy runs on 2 of 3 nodes", object="DaemonSet alloy"))))
    verdict = text.split("</header>")[0]
    assert "1 of 2 proofs failed" in verdict
    assert "DaemonSet alloy: Alloy runs on 2 of 3 nodes" in verdict
    assert text.index(">logs/missing<") < text.index("<h2>Errors by service</h2>")
    links = {attributes["href"] for tag, attributes in Outline(text).tags if tag == "a"}
    assert links == {"#logs"}
    assert 'id="logs"' in text


def test_what_passed_says_so() -> None:
    text = page(run_of(proof(), proof(name="targets")))
    assert "All 2 proofs passed" in text
    assert "FAILED" not in text


def test_findings_that_say_the_same_are_one_article_with_each_object() -> None:
    text = page(run_of(proof(*(finding(object=f"pod-{number}") for number in range(30)), finding("another"))))
    assert text.count("<article") == 2
    assert "it is down (30 times)" in text
    assert all(f"<code>pod-{number}</code>" in text for number in range(30))


def test_a_flood_of_findings_is_cut_and_said() -> None:
    many = [finding(f"message {number}") for number in range(MAX_FINDINGS + 5)]
    text = page(run_of(proof(*many)))
    assert text.count("<article") == MAX_FINDINGS
    assert "5 more are in report.json" in text
    assert len(json.loads(report_json(run_of(proof(*many))))["proofs"][0]["findings"]) == MAX_FINDINGS + 5


@pytest.mark.parametrize(
    ("findings", "counts"),
    [
        ([], [0, 0, 0, 0]),
        ([finding(object="ias-system/api-router-7c5b847685-d8b9d/api-router")], [1, 0, 0, 0]),
        ([finding("the logs of vllm do not hold the trace's id")], [0, 1, 0, 0]),
        ([finding("postgres and vllm are down"), finding(object="vllm")], [0, 2, 1, 0]),
        ([finding("Loki does not answer")], [0, 0, 0, 1]),
        ([finding(severity="warning", object="vllm")], [0, 0, 0, 0]),
    ],
)
def test_errors_are_counted_for_the_services_that_they_name(findings: list[dict[str, Any]], counts: list[int]) -> None:
    assert list(errors_by_service(proof(*findings), SERVICES).values()) == counts


def test_a_module_that_failed_without_a_finding_failed() -> None:
    read = read_proof("logs", "Logs", {"failed": True, "findings": [], "msg": "No space left on device"})
    assert [error.message for error in read.errors] == ["No space left on device"]


def test_the_history_ends_with_this_run_and_counts_it_once() -> None:
    past = tuple(PastRun(f"2026-02-{day:02}T02:00:00+00:00", 2, 0) for day in range(1, 29))
    run = run_of(proof(), proof(finding()), history=past)
    again = replace(run, history=read_history(report_json(run)))
    assert again.history[:-1] == past
    assert again.history[-1] == PastRun(run.started, 1, 1)
    assert report_json(again) == report_json(run)
    long = replace(run, history=past * 3)
    assert len(json.loads(report_json(long))["history"]) == MAX_HISTORY
    assert re.search(r"2026-02-28 02:00 UTC</span> <span class=\"ok\">passed", page(run))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"history": 1}', '{"history": [{}]}', "[" * 100_000])
def test_an_earlier_report_that_cannot_be_read_is_no_history(text: str) -> None:
    assert read_history(text) == ()


def test_how_long_each_proof_took_is_in_every_form() -> None:
    slow = read_proof("logs", "Logs", {"findings": [], "seconds": 12.34})
    run = run_of(slow, proof(), history=(PastRun("2026-02-28T02:00:00+00:00", 2, 0, 9.0),))
    assert '<td class="number">12.3</td>' in page(run)
    assert '<span class="ok">passed, 9 s</span>' in page(run)
    report = json.loads(report_json(run))
    assert [entry["seconds"] for entry in report["proofs"]] == [12.34, 0.0]
    assert [past["seconds"] for past in report["history"]] == [9.0, 12.34]
    assert [test["duration"] for test in json.loads(ctrf(run))["results"]["tests"]] == [12340, 0]


def test_a_history_of_a_version_that_measured_nothing() -> None:
    past = {"started": "2026-02-28T02:00:00+00:00", "passed": 2, "failed": 0}
    assert read_history(json.dumps({"history": [past]})) == (PastRun(past["started"], 2, 0),)


def test_ctrf_has_what_its_schema_requires() -> None:
    report = json.loads(ctrf(run_of(proof(name="targets"), proof(finding(object="web")))))
    assert (report["reportFormat"], report["specVersion"]) == ("CTRF", "0.0.0")
    summary = report["results"]["summary"]
    assert summary.keys() >= {"tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"}
    assert (summary["tests"], summary["passed"], summary["failed"]) == (2, 1, 1)
    assert summary["start"] == 1_772_330_400_000
    assert [(test["name"], test["status"]) for test in report["results"]["tests"]] == [
        ("Targets", "passed"),
        ("Logs", "failed"),
    ]
    assert report["results"]["tests"][1]["message"] == "web: it is down"
