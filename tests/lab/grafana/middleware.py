# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In front of every handler: who calls, and how long the answer takes.

Plain ASGI, for Starlette's own base of middleware takes half as long as the whole answer.
"""

from __future__ import annotations

import time

from prometheus_client import Histogram
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.lab.grafana.auth import Authenticator
from tests.lab.grafana.errors import ApiError, render
from tests.lab.grafana.server import PUBLIC


class AuthMiddleware:
    def __init__(self, app: ASGIApp, auth: Authenticator, duration: Histogram) -> None:
        self._app = app
        self._auth = auth
        self._duration = duration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if scope["path"] not in PUBLIC:
            try:
                request.state.identity = self._auth.authenticate(request.headers)
            except ApiError as error:
                await (await render(request, error))(scope, receive, send)
                return
        started = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                handler = getattr(scope.get("route"), "path", "other")
                labels = (handler, str(message["status"]), scope["method"])
                self._duration.labels(*labels).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, timed)
