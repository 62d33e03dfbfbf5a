# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real double on 127.0.0.1 for tests."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import uvicorn

from tests.lab.grafana.app import create_app
from tests.lab.grafana.config import Config
from tests.lab.grafana.context import Grafana
from tests.lab.grafana.faults import Faults
from tests.lab.grafana.release import Release
from tests.lab.grafana.store import Store

PATIENCE = 10.0
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP: knows no authority, where httpx reads all of the system's for each client (20 ms)."""


@dataclass(frozen=True, slots=True)
class Double:
    """A running double: where it is, who may enter, what it was asked and what it holds."""

    url: str
    user: str
    password: str
    faults: Faults
    store: Store
    stop: Callable[[], None] = field(repr=False)  # it dies now; leaving the context is then harmless

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def token(self, role: str) -> dict[str, str]:
        """The headers of a new service account with this role."""
        with self.client() as admin:
            account = admin.post("/api/serviceaccounts", json={"name": f"test-{role}", "role": role}).json()
            created = admin.post(f"/api/serviceaccounts/{account['id']}/tokens", json={"name": "test"}).json()
        return {"Authorization": f"Bearer {created['key']}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=(self.user, self.password), trust_env=False, verify=PLAIN)


class _Server(uvicorn.Server):
    """Tells when it listens, and ends at once, where uvicorn looks ten times a second whether it should."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def main_loop(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.ready.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for _ in range(5):  # what was accepted just now becomes a connection in a few steps, and must be cut off too
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            if connection.transport:
                connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()  # a hanging request must not hold it
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    def end(self) -> None:
        with suppress(RuntimeError):  # it has ended before
            self._loop.call_soon_threadsafe(self._over.set)


@contextmanager
def running_double(
    config: Config | None = None,
    *,
    version: str | None = None,
    data: Path | None = None,
    faults: Faults | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Iterator[Double]:
    """`version`: another Grafana; `data`: keep the state in this folder, for a second run on it."""
    config = config or Config(admin_password="admin")
    if version:
        config = replace(config, release=Release.parse(version))
    if data:
        config = replace(config, data=data)
    script = faults or Faults()
    app = create_app(config, transport=transport or httpx.AsyncHTTPTransport(verify=PLAIN), faults=script)
    grafana = app.state.grafana
    if not isinstance(grafana, Grafana):
        raise TypeError("create_app did not leave its context")
    listener = socket.create_server(("127.0.0.1", 0))
    # As asyncio does for the sockets that it opens itself; else each answer would wait 40 ms for its second packet.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(
        uvicorn.Config(app, log_level="critical", access_log=False, proxy_headers=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()

    def stop() -> None:
        server.end()
        thread.join(PATIENCE)
        listener.close()

    try:
        if not server.ready.wait(PATIENCE):
            raise RuntimeError("the Grafana double did not start")
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        yield Double(url, config.admin_user, config.admin_password, script, grafana.store, stop)
    finally:
        stop()
