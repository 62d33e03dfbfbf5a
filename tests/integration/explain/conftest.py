# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site in which much is wrong at once, on this machine: the real programs, and the Grafana double.

What only a cluster can have (its objects, events and the logs of its pods) is a Kubernetes API in memory.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from ansible_collections.ias.observability.plugins.modules import explain_info
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.integration.explain import cluster, faults
from tests.lab.grafana.testing import Double, running_double

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
WAIT = 0.5


def program(name: str) -> str:
    own = ROOT / ".lab" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if not found:
        pytest.fail(f"needs the program {name}: run `make lab-build`")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as child:
        try:
            yield
        finally:
            child.kill()


def await_true(look: Callable[[], Any], what: str) -> Any:
    """What a look shows as soon as it shows something."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if found := look():
                return found
        except httpx.HTTPError:
            pass
        if time.monotonic() > end:
            pytest.fail(f"not within {PATIENCE:g} s: {what}")
        time.sleep(WAIT)


class _Handler(BaseHTTPRequestHandler):
    """What the jobs expose, by their path; what webhooks and a Loki of many tenants answer."""

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        job = self.path.strip("/").partition("/")[0]
        status, text = faults.answer(job)
        if job == "slow":
            time.sleep(faults.SLOW_SECONDS)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a scrape that has timed out
            self.wfile.write(text.encode())

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        pass


class Site:
    """Everything at its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listener = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        names = ("prometheus", "alertmanager", "loki", "loki_grpc", "tempo", "tempo_grpc", "otlp", "closed")
        self.ports = {name: free_port() for name in names} | {"exporter": self.listener.server_address[1]}
        self.kubeconfig = ""

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def commands(self) -> dict[str, list[str]]:
        write = faults.configurations(self.folder, self.ports)
        return {
            "prometheus": [
                f"--config.file={write['prometheus']}",
                f"--storage.tsdb.path={self.folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
            ],
            "alertmanager": [
                f"--config.file={write['alertmanager']}",
                f"--storage.path={self.folder / 'nflog'}",
                f"--web.listen-address=127.0.0.1:{self.ports['alertmanager']}",
                "--cluster.listen-address=",
            ],
            "loki": [f"-config.file={write['loki']}"],
            "tempo": [f"-config.file={write['tempo']}"],
        }

    def explain(self, double: Double, **subject: str) -> dict[str, Any]:
        grafana = {"url": double.url, "username": double.user, "password": double.password}
        services = {name: {"url": self.url(name)} for name in ("prometheus", "alertmanager", "loki", "tempo")}
        contract = str(self.folder / "services.yaml")
        options = {"collector_labels": cluster.ALLOY, "kubeconfig": self.kubeconfig, "contract": contract}
        return run_module(explain_info, grafana=grafana, **services, **options, **subject)


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, Any]]]:
    """Explain a subject on the site, when all that is wrong has shown."""
    folder = tmp_path_factory.mktemp("site")
    site = Site(folder)
    with ExitStack() as stack:
        kube = stack.enter_context(FakeKube())
        site.kubeconfig = str(kube.write_kubeconfig(folder / "kubeconfig"))
        cluster.fill(kube)
        for name, arguments in site.commands().items():
            stack.enter_context(running([program(name), *arguments], folder / f"{name}.log"))
        double = stack.enter_context(running_double())
        faults.dashboards(double, site.url)
        for name, path in (
            ("loki", "/ready"),
            ("tempo", "/ready"),
            ("prometheus", "/-/ready"),
            ("alertmanager", "/-/ready"),
        ):
            address = site.url(name) + path
            await_true(lambda address=address: httpx.get(address).status_code == 200, f"{name} is ready")
        faults.send(site.url)
        for question in faults.SHOWN:
            await_true(lambda question=question: question(site.url), f"the faults have shown: {question.__name__}")
        faults.silence(site.url("alertmanager"))
        kube.texts[cluster.ALERTMANAGER_LOG] = (folder / "alertmanager.log").read_text()
        kube.lock = threading.Lock()
        yield lambda **subject: site.explain(double, **subject)
        site.listener.shutdown()


@pytest.fixture(scope="session")
def table(root: Path) -> dict[str, str]:
    """Cause → what its first line must have, by docs/explain.md."""
    page = (root / "docs" / "explain.md").read_text("utf-8").partition("| cause |")[2]
    rows = [line.split(" | ") for line in page.splitlines()[2:]]
    return {row[0].removeprefix("| "): row[3].removesuffix(" |").strip("`") for row in rows}
