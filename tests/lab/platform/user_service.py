# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""user-service: who may ask, and for which organization."""

from __future__ import annotations

import random
import time

from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.lab.platform.telemetry import Stopwatch, exemplar
from tests.lab.platform.web import BUCKETS, Handler, Service

ORGANIZATIONS = ("acme", "globex", "initech", "umbrella")
POOL = 20
ACTIVE_SECONDS = 300


class UserService(Service):
    name = "user-service"

    def declare(self) -> None:
        registry = self.telemetry.registry
        self.seen: dict[str, float] = {}
        active = Gauge("user_active_organizations", "Organizations seen in the last five minutes", registry=registry)
        active.set_function(lambda: sum(time.monotonic() - at < ACTIVE_SECONDS for at in self.seen.values()))
        self.auth_failures = Counter("user_auth_failures", "Refused credentials", ["reason"], registry=registry)
        for reason in ("bad_token", "expired", "forbidden"):
            self.auth_failures.labels(reason)
        self.queries = Histogram(
            "user_db_query_duration_seconds", "Database queries", ["operation"], buckets=BUCKETS, registry=registry
        )
        self.query_errors = Counter("user_db_errors", "Failed database queries", ["operation"], registry=registry)
        for operation in ("select", "insert", "update"):
            self.query_errors.labels(operation)
        self.pool = Gauge("user_db_pool_connections", "Connections of the pool", ["state"], registry=registry)
        self.pool.labels("active").set(0)
        self.pool.labels("idle").set(POOL)
        Gauge("user_db_pool_max_connections", "Size of the pool", registry=registry).set(POOL)

    def handlers(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/internal/authorize", self.authorize),
            ("GET", "/users/{id}", self.user),
            ("GET", "/organizations", self.organizations),
        ]

    async def authorize(self, request: Request, fields: dict[str, object]) -> Response:
        body = await request.json()
        fields["user_id"] = body.get("user")
        if reason := {"bad": "bad_token", "old": "expired"}.get(body.get("token", "")):
            self.auth_failures.labels(reason).inc()
            return JSONResponse({"error": reason}, status_code=401)
        self.seen[body.get("organization", "")] = time.monotonic()
        if not await self.query("select", fields) or not await self.query("update", fields):
            return JSONResponse({"error": "database"}, status_code=503)
        return JSONResponse({"organization": body.get("organization")})

    async def user(self, request: Request, fields: dict[str, object]) -> Response:
        fields["user_id"] = request.path_params["id"]
        found = await self.query("select", fields)
        return JSONResponse(
            {"id": request.path_params["id"]} if found else {"error": "database"}, 200 if found else 503
        )

    async def organizations(self, _: Request, fields: dict[str, object]) -> Response:
        found = await self.query(random.choice(("select", "insert")), fields)
        return JSONResponse(list(ORGANIZATIONS) if found else {"error": "database"}, 200 if found else 503)

    async def query(self, operation: str, fields: dict[str, object]) -> bool:
        """Ask the database; whether it answered."""
        watch = Stopwatch()
        self.pool.labels("active").inc()
        self.pool.labels("idle").dec()
        try:
            answer = await self.call("postgres", "/query", {"operation": operation}, fields["request_id"])
        finally:
            self.pool.labels("active").dec()
            self.pool.labels("idle").inc()
        self.queries.labels(operation).observe(watch.seconds, exemplar())
        if answer.status_code != 200:
            self.query_errors.labels(operation).inc()
        return answer.status_code == 200
