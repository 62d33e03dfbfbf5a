# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JSON: in a form of our own with a version, and in the Common Test Report Format (CTRF)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from .proofs import PastRun, Proof, Run, one_line

SCHEMA_VERSION = 1
MAX_HISTORY = 30
"""Runs. A month of daily ones."""
CTRF_VERSION = "0.0.0"


def report_json(run: Run) -> str:
    """`version`, the run, and `history`, which ends with this run."""
    return _text(
        {
            "version": SCHEMA_VERSION,
            "started": run.started,
            "cluster": run.cluster,
            "ok": not run.failed,
            "versions": dict(run.versions),
            "proofs": [_proof(proof) for proof in run.proofs],
            "history": [
                {"started": past.started, "passed": past.passed, "failed": past.failed, "seconds": past.seconds}
                for past in with_this_run(run)
            ],
        }
    )


def with_this_run(run: Run) -> tuple[PastRun, ...]:
    """The history with this run as its last; a report that is made twice of one run counts it once."""
    failed = len(run.failed)
    earlier = [past for past in run.history if past.started != run.started]
    return (*earlier, PastRun(run.started, len(run.proofs) - failed, failed, run.seconds))[-MAX_HISTORY:]


def read_history(text: str) -> tuple[PastRun, ...]:
    """The history of an earlier report.json; empty where the text is none."""
    try:
        runs = json.loads(text)["history"][-MAX_HISTORY:]
        return tuple(
            PastRun(str(run["started"]), int(run["passed"]), int(run["failed"]), float(run.get("seconds", 0)))
            for run in runs
        )
    except (ValueError, LookupError, TypeError, RecursionError):
        return ()


def ctrf(run: Run) -> str:
    """One test for each proof. Times are in milliseconds since the epoch, durations in milliseconds."""
    start = _milliseconds(run.started)
    failed = len(run.failed)
    return _text(
        {
            "reportFormat": "CTRF",
            "specVersion": CTRF_VERSION,
            "results": {
                "tool": {"name": "ias.observability", **_version(run)},
                "summary": {
                    "tests": len(run.proofs),
                    "passed": len(run.proofs) - failed,
                    "failed": failed,
                    "pending": 0,
                    "skipped": 0,
                    "other": 0,
                    "start": start,
                    "stop": start + round(1000 * run.seconds),
                },
                "tests": list(_tests(run)),
                "environment": {"appName": run.cluster or "cluster"},
            },
        }
    )


def _tests(run: Run) -> Iterator[Mapping[str, Any]]:
    for proof in run.proofs:
        test: dict[str, Any] = {"name": proof.title, "status": "passed" if proof.ok else "failed"}
        test["duration"] = round(1000 * proof.seconds)
        if proof.errors:
            test["message"] = one_line(proof.errors[0])
            test["trace"] = "\n".join(map(one_line, proof.errors))
        test["suite"] = ["ias.observability.verify"]
        test["extra"] = {"passed": proof.passed, "checked": proof.checked}
        yield test


def _proof(proof: Proof) -> Mapping[str, Any]:
    return {
        "name": proof.name,
        "title": proof.title,
        "ok": proof.ok,
        "passed": proof.passed,
        "checked": proof.checked,
        "seconds": proof.seconds,
        "facts": proof.facts,
        "findings": [finding.as_dict() for finding in proof.findings],
    }


def _version(run: Run) -> dict[str, str]:
    version = dict(run.versions).get("ias.observability", "")
    return {"version": version} if version else {}


def _milliseconds(moment: str) -> int:
    try:
        return int(datetime.datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return 0


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
