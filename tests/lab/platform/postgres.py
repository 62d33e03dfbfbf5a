# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated database: answers queries over HTTP after a database's time, with spans and log lines."""

from __future__ import annotations

import asyncio
import random

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.lab.platform.web import Handler, Service

SECONDS = {"select": 0.002, "insert": 0.004, "update": 0.006}


class Postgres(Service):
    name = "postgres"

    def handlers(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/query", self.query)]

    async def query(self, request: Request, fields: dict[str, object]) -> Response:
        operation = (await request.json()).get("operation", "")
        fields["operation"] = operation
        if operation not in SECONDS:
            return JSONResponse({"error": f"no operation {operation}"}, status_code=400)
        await asyncio.sleep(SECONDS[operation] * random.uniform(0.5, 2))
        return JSONResponse({"rows": random.randint(1, 5)})
