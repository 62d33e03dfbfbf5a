# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.lab.platform <service>`: run one service on port 8080."""

from __future__ import annotations

import asyncio
import sys

import httpx
import uvicorn
from starlette.applications import Starlette

from tests.lab.platform import alert_receiver, load
from tests.lab.platform.analytics_service import AnalyticsService
from tests.lab.platform.api_router import ApiRouter
from tests.lab.platform.dcgm_exporter import DcgmExporter
from tests.lab.platform.exporter import Exporter
from tests.lab.platform.postgres import Postgres
from tests.lab.platform.postgres_exporter import PostgresExporter
from tests.lab.platform.telemetry import Telemetry
from tests.lab.platform.user_service import UserService
from tests.lab.platform.vllm import Vllm
from tests.lab.platform.web import Service

SERVICES: tuple[type[Service], ...] = (AnalyticsService, ApiRouter, Postgres, UserService, Vllm)
EXPORTERS: tuple[type[Exporter], ...] = (DcgmExporter, PostgresExporter)
LOAD = "load-generator"


def app(name: str) -> Starlette | None:
    """The named service's application, or None when there is no such service."""
    if name == alert_receiver.NAME:
        return alert_receiver.AlertReceiver().app()
    for exporter in EXPORTERS:
        if exporter.name == name:
            return exporter().app()
    for service in SERVICES:
        if service.name == name:
            return service(Telemetry(name, names_itself=service.names_itself), httpx.AsyncClient(timeout=10)).app()
    return None


def main() -> int:
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name == LOAD:
        asyncio.run(load.run())
        return 0
    found = app(name)
    if not found:
        parts = [*(service.name for service in SERVICES), *(exporter.name for exporter in EXPORTERS)]
        names = sorted([LOAD, alert_receiver.NAME, *parts])
        print(f"usage: python -m tests.lab.platform {'|'.join(names)}", file=sys.stderr)
        return 2
    uvicorn.run(found, host="0.0.0.0", port=8080, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
