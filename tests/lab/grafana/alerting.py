# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact points and the policy tree, as far as a backup reads them and a restore writes them."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana.context import Grafana, caller, read_json
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.store import Draft

MASK = "[REDACTED]"
# Of the settings of each type; the types that the tests use.
SECRETS = {"slack": ("url", "token"), "webhook": ("password", "authorization_credentials")}
POINTS, POLICIES, TREE = "contact-points", "policies", "tree"
DEFAULT_POINT: dict[str, Any] = {
    "uid": "",
    "name": "grafana-default-email",
    "type": "email",
    "settings": {"addresses": "<example@email.com>"},
    "disableResolveMessage": False,
}
DEFAULT_TREE: dict[str, Any] = {"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}


def _masked(spec: dict[str, Any]) -> dict[str, Any]:
    """As it is read: without its secrets."""
    hidden = SECRETS.get(spec["type"], ())
    settings = {name: MASK if name in hidden and value else value for name, value in spec["settings"].items()}
    return {**spec, "settings": settings}


def _provenance(request: Request) -> str:
    """Who may edit it afterwards: with this header, people in the UI."""
    return "" if request.headers.get("x-disable-provenance") else "api"


class Alerting:
    """/api/v1/provisioning."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._store = grafana.store

    def routes(self) -> list[Route]:
        points, policies = "/api/v1/provisioning/contact-points", "/api/v1/provisioning/policies"
        return [
            Route(points, self._points, methods=["GET"]),
            Route(points, self._create, methods=["POST"]),
            Route(points + "/{uid}", self._update, methods=["PUT"]),
            Route(points + "/{uid}", self._delete, methods=["DELETE"]),
            Route(policies, self._policies, methods=["GET"]),
            Route(policies, self._set_policies, methods=["PUT"]),
        ]

    async def _points(self, request: Request) -> Response:
        caller(request).need("alert.provisioning:read", "alert.notifications:read")
        default = [DEFAULT_POINT] if self._grafana.release.shows_default_point else []
        return JSONResponse([*default, *(_masked(point.spec) for point in self._store.all_of(POINTS))])

    async def _create(self, request: Request) -> Response:
        body = await self._point(request)
        uid = str(body.get("uid") or "c" + secrets.token_hex(6))
        if self._store.get(POINTS, uid):
            raise ApiError(409, "contact point with this uid already exists")
        spec = {**body, "uid": uid, "provenance": _provenance(request)}
        return JSONResponse(_masked(self._store.create(Draft(POINTS, uid, spec), caller(request).uid).spec), 202)

    async def _update(self, request: Request) -> Response:
        body = await self._point(request)
        uid = request.path_params["uid"]
        old = self._store.get(POINTS, uid)
        if old is None:
            raise ApiError(404, "contact point not found")
        provenance = _provenance(request)
        if old.spec["provenance"] not in ("", provenance):
            raise ApiError(500, f"cannot change provenance from '{old.spec['provenance']}' to '{provenance}'")
        kept = {name: old.spec["settings"].get(name, "") for name, value in body["settings"].items() if value == MASK}
        spec = {**body, "settings": {**body["settings"], **kept}, "uid": uid, "provenance": provenance}
        self._store.replace(Draft(POINTS, uid, spec), caller(request).uid)
        return JSONResponse({"message": "contactpoint updated"}, 202)

    async def _delete(self, request: Request) -> Response:
        caller(request).need("alert.provisioning:write")
        self._store.delete(POINTS, request.path_params["uid"])
        return JSONResponse({"message": "contactpoint deleted"}, 202)

    async def _policies(self, request: Request) -> Response:
        caller(request).need("alert.provisioning:read")
        tree = self._store.get(POLICIES, TREE)
        return JSONResponse(tree.spec if tree else DEFAULT_TREE)

    async def _set_policies(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("alert.provisioning:write")
        body = await read_json(request)
        names = {DEFAULT_POINT["name"], *(point.spec["name"] for point in self._store.all_of(POINTS))}
        if body.get("receiver") not in names:
            raise ApiError(400, f"invalid object specification: receiver '{body.get('receiver')}' does not exist")
        known = self._store.get(POLICIES, TREE)
        (self._store.replace if known else self._store.create)(Draft(POLICIES, TREE, body), identity.uid)
        return JSONResponse({"message": "policies updated"}, 202)

    async def _point(self, request: Request) -> dict[str, Any]:
        caller(request).need("alert.provisioning:write")
        body = await read_json(request)
        if not body.get("name") or not body.get("type") or not isinstance(body.get("settings"), dict):
            raise ApiError(400, "invalid object specification: name, type and settings are required")
        settings = body["settings"]
        if body["type"] == "slack" and not (settings.get("url") or settings.get("token")):
            raise ApiError(400, "invalid object specification: token must be specified when using the Slack chat API")
        if body["type"] == "slack" and not settings.get("recipient"):
            wrong = "recipient must be specified when using the Slack chat API"
            raise ApiError(400, f"invalid object specification: {wrong}")
        return body
