# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Grafana server says about itself: health, settings, metrics, and a page for a browser."""

from __future__ import annotations

import json
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.lab.grafana import dashboards, datasources
from tests.lab.grafana.context import Grafana, caller

COMMIT = "double"
PAGE = """<!doctype html><title>Grafana double</title>
<h1>Grafana double</h1>
<p>This lab has no Grafana binary: a small server stands in for Grafana's HTTP API. It has no user interface.
Where images can be pulled (LAB=online) the lab runs the real Grafana.</p>
<p>Try <a href="/api/search">/api/search</a> and <a href="/api/datasources">/api/datasources</a>
with the admin's name and password.</p>
"""
PUBLIC = ("/", "/login", "/api/health", "/healthz", "/metrics")


class Server:
    """Endpoints of the server itself."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._registry = CollectorRegistry()
        labels = ["version", "revision", "branch", "edition", "goversion"]
        build = Gauge("grafana_build_info", "Which Grafana the double plays.", labels, registry=self._registry)
        build.labels(grafana.release.text, COMMIT, COMMIT, COMMIT, "none").set(1)
        total = Gauge("grafana_stat_totals_dashboard", "Dashboards.", registry=self._registry)
        total.set_function(lambda: len(grafana.store.all_of(dashboards.KIND)))
        self.duration = Histogram(
            "grafana_http_request_duration_seconds",
            "Time to answer.",
            ["handler", "status_code", "method"],
            registry=self._registry,
        )

    def routes(self) -> list[Route]:
        return [
            Route("/", self._page),
            Route("/login", self._page, methods=["GET"]),
            Route("/api/health", self._health),
            Route("/healthz", self._healthz),
            Route("/metrics", self._metrics),
            Route("/api/frontend/settings", self._settings),
        ]

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def _health(self, request: Request) -> Response:
        healthy = self._grafana.store.ping()
        body: dict[str, Any] = {"database": "ok" if healthy else "failing"}
        if not self._grafana.config.hide_version:
            body |= {"version": self._grafana.release.text, "commit": COMMIT}
        headers = {"Cache-Control": "no-store"}
        text = json.dumps(body, indent=2)
        return Response(text, 200 if healthy else 503, headers, media_type="application/json; charset=UTF-8")

    async def _healthz(self, request: Request) -> Response:
        return PlainTextResponse("Ok")

    async def _metrics(self, request: Request) -> Response:
        if "application/openmetrics-text" in request.headers.get("accept", ""):
            return Response(openmetrics(self._registry), media_type=OPENMETRICS)
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def _settings(self, request: Request) -> Response:
        caller(request).need("dashboards:read")
        sources = {
            source.spec["name"]: {"uid": source.uid, "id": source.internal_id}
            | {key: source.spec[key] for key in ("name", "type", "isDefault", "readOnly", "jsonData")}
            for source in self._grafana.store.all_of(datasources.KIND)
        }
        build = {
            "version": self._grafana.release.text,
            "commit": COMMIT,
            "edition": "Open Source",
            "env": "production",
            "hasUpdate": False,
        }
        default = next((name for name, entry in sources.items() if entry["isDefault"]), "")
        body = {"buildInfo": build, "datasources": sources, "defaultDatasource": default, "featureToggles": {}}
        return JSONResponse(body)
