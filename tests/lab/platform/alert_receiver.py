# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be a pager: takes Alertmanager's webhooks, and tells what it got.

`POST /alerts/<anything>` takes one, `GET /alerts?<label>=<value>` lists the alerts with these labels, oldest first.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from typing import Any, TextIO

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

NAME = "alert-receiver"
KEPT = 5000


class AlertReceiver:
    """Remembers the last alerts: receiver, status, labels, annotations, and when they came (seconds since 1970)."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.out = out
        self.alerts: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/alerts", self.listed),
                Route("/alerts/{name}", self.take, methods=["POST"]),
                Route("/healthz", self.healthz),
            ]
        )

    async def take(self, request: Request) -> Response:
        message = await request.json()
        now = time.time()
        for alert in message["alerts"]:
            got = {key: alert[key] for key in ("status", "labels", "annotations")}
            self.alerts.append({"receiver": message["receiver"], "received": now, **got})
            name = alert["labels"].get("alertname", "")
            said = {"level": "info", "msg": f"{name} {alert['status']}", "receiver": message["receiver"]}
            print(json.dumps(said), file=self.out, flush=True)
        return Response(status_code=204)

    async def listed(self, request: Request) -> Response:
        wanted = request.query_params.items()
        return JSONResponse([alert for alert in self.alerts if wanted <= alert["labels"].items()])

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")
