# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform, its users, Prometheus, Alertmanager and the receiver of its alerts, all on this machine: no cluster.

The services are the lab's, in one process; Prometheus and Alertmanager are the real programs, with the rules and the
routing of contracts/ as they are.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from opentelemetry.sdk.trace import SpanProcessor
from starlette.applications import Starlette

from ansible_collections.ias.observability.plugins.module_utils._alertmanager.receivers import SECRETS, configured
from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tests.lab import workloads
from tests.lab.platform import __main__ as platform
from tests.lab.platform import load as users
from tests.lab.platform.alert_receiver import AlertReceiver
from tests.lab.platform.telemetry import Telemetry
from tools.contracts import generated, slo

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT / "contracts"
NAMESPACE = "ias-system"
SECONDS = 15
"""Between two scrapes, and between two evaluations: as on the lab."""


def program(name: str) -> str:
    own = ROOT / ".lab" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if not found:
        pytest.fail(f"needs the program {name}: run `make lab-build`")
    return found


class Platform:
    """Every part behind a port of its own; they reach each other without the network."""

    def __init__(self) -> None:
        self.receiver = AlertReceiver(io.StringIO())
        self.client = httpx.AsyncClient(transport=self, timeout=15)
        made: dict[str, Any] = {kind.name: kind() for kind in platform.EXPORTERS}
        for kind in platform.SERVICES:
            made[kind.name] = kind(Telemetry(kind.name, SpanProcessor(), io.StringIO()), self.client)
        self.parts = {name: part.app() for name, part in made.items()}
        self.transports = {name: httpx.ASGITransport(app) for name, app in self.parts.items()}
        self.ports: dict[str, int] = {}
        self.loop = asyncio.new_event_loop()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.transports[request.url.host].handle_async_request(request)

    async def aclose(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Platform:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.create_task(self.use())
        self.loop.run_forever()

    def serve(self, name: str, app: Starlette) -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.ports[name] = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), self.loop)

    async def use(self) -> None:
        """The platform's users, as many as in the lab."""
        limit, sent = asyncio.Semaphore(users.AT_ONCE), set()
        while True:
            task = asyncio.create_task(users.send(self.client, limit))
            sent.add(task)
            task.add_done_callback(sent.discard)
            await asyncio.sleep(1 / users.PER_SECOND)

    def fault(self, part: str, **wish: object) -> None:
        """Switch a fault on; without a wish, off."""
        httpx.post(f"http://127.0.0.1:{self.ports[part]}/admin/fault", json=wish).raise_for_status()


@contextmanager
def running(argv: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as child:
        try:
            yield
        finally:
            child.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_rules(folder: Path) -> list[str]:
    """The rules of contracts/, those of services only where the service is here."""
    described = yaml.safe_load((CONTRACTS / "services.yaml").read_text())["services"]
    promised = slo.describe(load("services.yaml", (CONTRACTS / "services.yaml").read_text(), RuleReport()), described)
    here = tuple(one for one in promised.services if one.job in workloads.PARTS)
    rules = generated.dumped(slo.rule_file(slo.Described(here, promised.owners, promised.namespaces)))
    (folder / generated.RULES).write_text(rules)
    for name in (generated.RECORDS, "alerts.yaml"):
        (folder / name).write_text((CONTRACTS / name).read_text())
    return [generated.RECORDS, "alerts.yaml", generated.RULES]


def write_prometheus(folder: Path, ports: dict[str, int], alertmanager: int) -> Path:
    jobs = [
        {
            "job_name": name,
            "static_configs": [{"targets": [f"127.0.0.1:{ports[name]}"], "labels": {"namespace": NAMESPACE}}],
        }
        for name in workloads.PARTS
    ]
    content = {
        "global": {"scrape_interval": f"{SECONDS}s", "evaluation_interval": f"{SECONDS}s"},
        "rule_files": write_rules(folder),
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        "scrape_configs": jobs,
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def write_alertmanager(folder: Path, receiver: int) -> Path:
    names = ("page", "ticket", "info", "watchdog")
    for name in names:
        (folder / name).write_text(f"http://127.0.0.1:{receiver}/alerts/{name}")
    integrations = [{"name": name, "type": "webhook", "secret": "receiver", "key": name} for name in names]
    content = configured(yaml.safe_load((CONTRACTS / "alertmanager.yaml").read_text()), integrations)
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(content).replace(f"{SECRETS}/receiver", str(folder)))
    return file


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("stack")
    made = Platform()
    threading.Thread(target=made.run, daemon=True).start()
    for name, app in (*made.parts.items(), (workloads.RECEIVER, made.receiver.app())):
        made.serve(name, app)
    alertmanager, prometheus = free_port(), free_port()
    commands = {
        "alertmanager": [
            f"--config.file={write_alertmanager(folder, made.ports[workloads.RECEIVER])}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
            "--cluster.listen-address=",
        ],
        "prometheus": [
            f"--config.file={write_prometheus(folder, made.ports, alertmanager)}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{prometheus}",
        ],
    }
    with ExitStack() as programs:
        for name, arguments in commands.items():
            programs.enter_context(running([program(name), *arguments], folder / f"{name}.log"))
        yield made


@pytest.fixture(scope="session")
def within() -> Callable[[float, Callable[[], Any]], Any]:
    """What a look shows as soon as it shows something; the test fails when the seconds are over."""

    def wait(seconds: float, look: Callable[[], Any]) -> Any:
        end = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > end:
                pytest.fail(f"nothing within {seconds:g} s")
            time.sleep(1)
        return found

    return wait
