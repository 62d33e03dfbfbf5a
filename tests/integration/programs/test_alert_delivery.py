# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of delivery beside a real Alertmanager, with receivers that work, refuse, or are not there."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import alert_delivery_verify
from tests.fakes.http import Reply, Server, running_server
from tests.fakes.module import run_module
from tests.unit.rendering import program

NAMED = "--enable-feature=receiver-name-in-metrics"
ALERTS = [{"receiver": "page", "labels": {"severity": "critical"}}]
WATCHDOG = {"receiver": "watchdog", "labels": {"alertname": "Watchdog", "severity": "none"}}
ROUTING = """
route:
  receiver: ticket
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - {receiver: watchdog, matchers: [alertname = "Watchdog"]}
    - {receiver: page, matchers: [severity = "critical"]}
receivers:
  - name: ticket
"""
Prove = Callable[..., dict[str, Any]]


@pytest.fixture
def receiver() -> Iterator[Server]:
    """Takes /ok, refuses /refused for good and /broken each time."""
    with running_server() as server:
        server.on("POST", "/ok", Reply(200))
        server.on("POST", "/refused", Reply(403, {"message": "invalid_token"}))
        server.on("POST", "/broken", Reply(500))
        yield server


@contextmanager
def alertmanager(folder: Path, configuration: str, *options: str) -> Iterator[str]:
    """A real one; gives its URL."""
    port = free_port()
    file = folder / "alertmanager.yml"
    file.write_text(configuration)
    address = f"127.0.0.1:{port}"
    command = [
        program("alertmanager"),
        *(f"--config.file={file}", f"--storage.path={folder / 'data'}"),
        *(f"--web.listen-address={address}", "--cluster.listen-address=", *options),
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until_ready(process, address, folder / "log")
            yield f"http://{address}"
        finally:
            process.terminate()


def until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    while not is_ready(address):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(log.read_text())


def is_ready(address: str) -> bool:
    with contextlib.closing(http.client.HTTPConnection(address, timeout=5)) as connection:
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def webhook(name: str, *urls: str) -> str:
    configs = "".join(f"\n      - url: {url}" for url in urls)
    return f"  - name: {name}\n    webhook_configs:{configs}\n"


def prove(url: str, timeout: int = 3, alerts: list[dict[str, Any]] = ALERTS) -> dict[str, Any]:
    return run_module(alert_delivery_verify, alertmanager={"url": url}, alerts=alerts, timeout=timeout, interval=0)


def ids(result: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in result["findings"]]


def test_a_receiver_that_works(tmp_path: Path, receiver: Server) -> None:
    with alertmanager(tmp_path, ROUTING + webhook("page", f"{receiver.url}/ok") + "  - name: watchdog\n", NAMED) as url:
        result = prove(url, 20)
    assert (ids(result), result["summary"]) == ([], {"checked": 3, "passed": 3})
    assert receiver.seen("POST", "/ok")[0].body["alerts"][0]["labels"]["severity"] == "critical"


@pytest.mark.parametrize("path", ["refused", "broken"])
def test_a_receiver_that_refuses(tmp_path: Path, receiver: Server, path: str) -> None:
    with alertmanager(
        tmp_path, ROUTING + webhook("page", f"{receiver.url}/{path}") + "  - name: watchdog\n", NAMED
    ) as url:
        result = prove(url)
    assert ids(result) == ["delivery/failed"]
    first = result["msg"].splitlines()[0]
    assert first.startswith("An alert does not reach its receiver (receiver page: webhook fails: ")
    assert ("clientError" in first) == (path == "refused")


def test_a_receiver_that_is_not_there(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}/secret-path"
    with alertmanager(tmp_path, ROUTING + webhook("page", dead) + "  - name: watchdog\n", NAMED) as url:
        result = prove(url)
    assert ids(result) == ["delivery/failed"]
    assert "secret-path" not in str(result)


@pytest.mark.parametrize("options", [(NAMED,), ()], ids=["by receiver", "by integration"])
def test_one_of_two_integrations_is_dead(tmp_path: Path, receiver: Server, options: tuple[str, ...]) -> None:
    page = webhook("page", f"{receiver.url}/ok", f"{receiver.url}/broken")
    with alertmanager(tmp_path, ROUTING + page + "  - name: watchdog\n", *options) as url:
        result = prove(url)
    assert ids(result)[0] == "delivery/failed"


@pytest.mark.parametrize("options", [(NAMED,), ()], ids=["by receiver", "by integration"])
def test_one_of_two_receivers_is_dead(tmp_path: Path, receiver: Server, options: tuple[str, ...]) -> None:
    receivers = webhook("page", f"{receiver.url}/ok") + webhook("watchdog", f"{receiver.url}/refused")
    with alertmanager(tmp_path, ROUTING + receivers, *options) as url:
        result = prove(url, alerts=[*ALERTS, WATCHDOG])
    assert "delivery/failed" in ids(result)
    if options:
        assert [finding["object"] for finding in result["findings"]] == ["receiver watchdog"]


def test_a_receiver_without_an_integration(tmp_path: Path, receiver: Server) -> None:
    receivers = webhook("page", f"{receiver.url}/ok") + "  - name: watchdog\n"
    with alertmanager(tmp_path, ROUTING + receivers, NAMED) as url:
        result = prove(url, 0, [*ALERTS, WATCHDOG])
    assert ids(result) == ["delivery/no-integration"]
    assert receiver.requests == []


def test_a_failure_that_passes(tmp_path: Path, receiver: Server) -> None:
    receiver.on("POST", "/ok", Reply(500), Reply(200))
    with alertmanager(tmp_path, ROUTING + webhook("page", f"{receiver.url}/ok") + "  - name: watchdog\n", NAMED) as url:
        result = prove(url, 20)
    assert (ids(result), result.get("failed", False)) == (["delivery/repeated"], False)


def test_the_watchdog_joins_a_group_that_exists(tmp_path: Path, receiver: Server) -> None:
    receivers = webhook("page", f"{receiver.url}/ok") + webhook("watchdog", f"{receiver.url}/ok")
    with alertmanager(tmp_path, ROUTING + receivers, NAMED) as url:
        first = prove(url, 20, [WATCHDOG])
        second = prove(url, 20, [WATCHDOG])
    assert (ids(first), ids(second)) == ([], [])
