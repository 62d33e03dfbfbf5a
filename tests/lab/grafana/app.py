# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application: everything put together."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from tests.lab.grafana.accounts import Accounts
from tests.lab.grafana.alerting import Alerting
from tests.lab.grafana.auth import Authenticator
from tests.lab.grafana.config import Config, ConfigError
from tests.lab.grafana.context import Grafana
from tests.lab.grafana.dashboards_k8s import Dashboards
from tests.lab.grafana.dashboards_legacy import LegacyDashboards
from tests.lab.grafana.datasources import DataSources
from tests.lab.grafana.errors import ApiError, render
from tests.lab.grafana.faults import FaultMiddleware, Faults
from tests.lab.grafana.folders import Folders, LegacyFolders
from tests.lab.grafana.k8s import discovery
from tests.lab.grafana.middleware import AuthMiddleware
from tests.lab.grafana.permissions import Permissions
from tests.lab.grafana.provisioning import Provisioning
from tests.lab.grafana.query import Queries
from tests.lab.grafana.search import Search
from tests.lab.grafana.server import Server
from tests.lab.grafana.store import Store

DATABASE = "grafana-double.db"
BACKEND_TIMEOUT = 30.0


def create_app(
    config: Config,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    faults: Faults | None = None,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The double. `transport` stands in for the back ends in tests; raises ConfigError, ProvisioningError."""
    store = _open(config)
    backends = httpx.AsyncClient(transport=transport, timeout=BACKEND_TIMEOUT, trust_env=False)
    attempts = config.login_attempts if config.lock_logins else None
    auth = Authenticator(store, anonymous=config.anonymous, attempts=attempts, clock=clock)
    auth.ensure_admin(config.admin_user, config.admin_password)
    script = faults or Faults()
    grafana = Grafana(config, store, auth, backends, script, clock)
    provisioning = Provisioning(grafana)
    provisioning.start()
    folders, dashboards, server = Folders(grafana), Dashboards(grafana), Server(grafana)
    parts = (
        server,
        Accounts(grafana),
        Alerting(grafana),
        LegacyFolders(grafana),
        LegacyDashboards(grafana, dashboards),
        Permissions(grafana),
        Search(grafana),
        DataSources(grafana),
        Queries(grafana),
        provisioning,
        folders,
        dashboards,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        polling = asyncio.create_task(provisioning.poll())
        yield
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
        await backends.aclose()
        store.close()

    app = Starlette(
        routes=[*(route for part in parts for route in part.routes()), *discovery([folders, dashboards])],
        middleware=[
            Middleware(FaultMiddleware, faults=script),
            Middleware(AuthMiddleware, auth=auth, duration=server.duration),
        ],
        exception_handlers={ApiError: render, HTTPException: _no_route},
        lifespan=lifespan,
    )
    app.state.grafana = grafana
    return app


def _open(config: Config) -> Store:
    path = config.data / DATABASE if config.data else None
    try:
        if config.data:
            config.data.mkdir(parents=True, exist_ok=True)
        return Store(path, random_ids=config.release.saves_through_apis)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"no database in {config.data}: {error}") from error


async def _no_route(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else 404
    if code == 405:
        return await render(request, ApiError(405, "the server does not allow this method on the requested resource"))
    kubernetes = request.url.path.startswith("/apis")
    text = "the server could not find the requested resource" if kubernetes else "Not found"
    return await render(request, ApiError(code, text))
