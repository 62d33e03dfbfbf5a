# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import scrape_targets_verify
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.module import run_module

TARGETS = "/api/v1/targets"


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


def target(job: str, health: str, error: str = "") -> dict[str, object]:
    return {"labels": {"job": job}, "scrapeUrl": f"http://{job}/metrics", "health": health, "lastError": error}


def answer(*targets: dict[str, object]) -> Reply:
    return Reply(200, {"status": "success", "data": {"activeTargets": list(targets)}})


def run(server: Server, **args: object) -> dict[str, Any]:
    return run_module(scrape_targets_verify, prometheus={"url": server.url}, interval=0, **args)


def test_all_up(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "up"), target("a", "up"), target("b", "up")))
    result = run(server, jobs=["a", "b"])
    assert result["jobs"] == {"a": {"up": 2, "down": 0}, "b": {"up": 1, "down": 0}}
    assert result["summary"] == {"checked": 3, "passed": 3}
    assert result["changed"] is False
    assert server.requests[0].query == {"state": ["active"]}


def test_waits_for_a_target_that_comes_up(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "unknown")), Reply(404), answer(target("a", "up")))
    assert run(server, timeout=20)["findings"] == []


def test_everything_that_is_wrong_is_told(server: Server) -> None:
    server.on("GET", TARGETS, answer(target("a", "down", "connection refused"), target("b", "unknown")))
    result = run(server, jobs=["a", "vllm"], timeout=0)
    assert result["failed"] is True
    assert {(finding["id"], finding["object"]) for finding in result["findings"]} == {
        ("targets/down", "a"),
        ("targets/not-scraped", "b"),
        ("targets/missing-job", "vllm"),
    }
    assert "http://a/metrics is down: connection refused" in str(result["msg"])
    assert result["summary"] == {"checked": 3, "passed": 0}


def test_no_target_at_all_is_not_success(server: Server) -> None:
    server.on("GET", TARGETS, answer())
    assert "targets/none" in str(run(server, timeout=0)["msg"])


def test_wrong_credentials_are_not_waited_for(server: Server) -> None:
    server.on("GET", TARGETS, Reply(401, {"message": "Unauthorized"}))
    result = run(server, timeout=600)
    assert "401 Unauthorized (Check the credentials)" in str(result["msg"])
    assert len(server.requests) == 1


def test_a_url_with_credentials_is_refused() -> None:
    result = run_module(scrape_targets_verify, prometheus={"url": "http://u:hidden@example.org"}, timeout=0)
    assert "without credentials" in result["msg"]
    assert "hidden" not in result["msg"]
