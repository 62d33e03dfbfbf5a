# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data sources: list, CRUD, health, and the proxy to their back ends."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana.backends import Backend, BackendError
from tests.lab.grafana.context import UID, Grafana, caller, read_json
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.store import Draft, Resource, Store

KIND = "datasources"
TYPES = {"prometheus": "Prometheus", "loki": "Loki", "tempo": "Tempo", "alertmanager": "Alertmanager"}
FIELDS: Mapping[str, Any] = {
    "name": "",
    "type": "",
    "access": "proxy",
    "url": "",
    "user": "",
    "database": "",
    "basicAuth": False,
    "basicAuthUser": "",
    "withCredentials": False,
    "isDefault": False,
    "jsonData": {},
    "readOnly": False,
}
DETAIL = ("basicAuthUser", "withCredentials")
HOP = ("content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive")
NOT_FOUND = "Data source not found"


def complete(given: Mapping[str, Any], secret: Mapping[str, Any], *, read_only: bool) -> dict[str, Any]:
    """A full spec from what a client or a file gives."""
    spec = {key: given.get(key) if given.get(key) is not None else default for key, default in FIELDS.items()}
    return {**spec, "readOnly": read_only, "secureJsonData": {**secret, **(given.get("secureJsonData") or {})}}


def put(store: Store, uid: str, spec: dict[str, Any], actor: str) -> Resource:
    """Create or update; there is one default."""
    if spec["isDefault"]:
        for other in store.all_of(KIND):
            if other.uid != uid and other.spec["isDefault"]:
                store.replace(Draft(KIND, other.uid, {**other.spec, "isDefault": False}), actor)
    draft = Draft(KIND, uid, spec)
    return store.replace(draft, actor) if store.get(KIND, uid) else store.create(draft, actor)


def by_name(store: Store, name: str) -> Resource | None:
    return next((source for source in store.all_of(KIND) if source.spec["name"] == name), None)


class DataSources:
    """The endpoints."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._store = grafana.store

    def routes(self) -> list[Route]:
        one, named = "/api/datasources/uid/{uid}", "/api/datasources/name/{name}"
        proxy = "/api/datasources/proxy/uid/{uid}"
        return [
            Route("/api/datasources", self._list, methods=["GET"]),
            Route("/api/datasources", self._create, methods=["POST"]),
            Route(one, self._get, methods=["GET"]),
            Route(one, self._update, methods=["PUT"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(named, self._get, methods=["GET"]),
            Route(named, self._delete, methods=["DELETE"]),
            Route("/api/datasources/id/{name}", self._id, methods=["GET"]),
            Route(one + "/health", self._health, methods=["GET"]),
            Route(proxy, self._proxy, methods=["GET", "POST"]),
            Route(proxy + "/{path:path}", self._proxy, methods=["GET", "POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        caller(request).need("datasources:read")
        found = sorted(self._store.all_of(KIND), key=lambda source: source.spec["name"].lower())
        return JSONResponse([_brief(source) for source in found])

    async def _get(self, request: Request) -> Response:
        caller(request).need("datasources:read")
        return JSONResponse(_show(self._find(request)))

    async def _id(self, request: Request) -> Response:
        caller(request).need("datasources:read")
        return JSONResponse({"id": self._find(request).internal_id})

    async def _create(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("datasources:create")
        body = await read_json(request)
        _check(body)
        uid = str(body.get("uid") or "") or "d" + secrets.token_hex(6)
        if not UID.fullmatch(uid) or len(uid) > 40:
            raise ApiError(400, "invalid format of UID. Only letters, numbers, '-' and '_' are allowed")
        if by_name(self._store, body["name"]):
            raise ApiError(409, "data source with the same name already exists")
        if self._store.get(KIND, uid):
            raise ApiError(409, "data source with the same uid already exists")
        source = put(self._store, uid, complete(body, {}, read_only=False), identity.uid)
        return JSONResponse(_written("Datasource added", source))

    async def _update(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("datasources:write")
        old = self._find(request)
        body = await read_json(request)
        _check(body)
        if old.spec["readOnly"]:
            raise ApiError(403, "Cannot update read-only data source")
        other = by_name(self._store, body["name"])
        if other and other.uid != old.uid:
            raise ApiError(409, "Failed to update datasource: data source with the same name already exists")
        if body.get("version") and body["version"] < old.generation:
            wrong = "Datasource has already been updated by someone else. Please reload and try again"
            raise ApiError(409, wrong)
        spec = complete(body, old.spec["secureJsonData"], read_only=False)
        return JSONResponse(_written("Datasource updated", put(self._store, old.uid, spec, identity.uid)))

    async def _delete(self, request: Request) -> Response:
        caller(request).need("datasources:delete")
        source = self._find(request)
        if source.spec["readOnly"]:
            raise ApiError(403, "Cannot delete read-only data source")
        self._store.delete(KIND, source.uid)
        return JSONResponse({"message": "Data source deleted", "id": source.internal_id})

    async def _health(self, request: Request) -> Response:
        caller(request).need("datasources:query")
        uid = request.path_params["uid"]
        if not UID.fullmatch(uid):
            raise ApiError(400, "UID is invalid")
        source = self._store.get(KIND, uid)
        if source is None:
            raise ApiError(500, "Unable to load datasource metadata")
        kind = source.spec["type"]
        if kind in self._grafana.faults.missing_plugins or kind not in TYPES:
            raise ApiError(404, "Plugin not registered", message_id="plugin.notRegistered")
        check = HEALTH.get(kind)
        if check is None:  # a front-end plugin has nothing that could be asked
            raise ApiError(500, "Plugin unavailable", message_id="plugin.unavailable")
        message, details, healthy = await check(Backend(self._grafana.backends, source))
        body = {"status": "OK" if healthy else "ERROR", "message": message}
        return JSONResponse(body | ({"details": details} if details else {}), 200 if healthy else 400)

    async def _proxy(self, request: Request) -> Response:
        caller(request).need("datasources:query")
        source = self._store.get(KIND, request.path_params["uid"])
        if source is None:
            raise ApiError(404, "Unable to find datasource")
        path = "/" + request.path_params.get("path", "")
        # credentials for Grafana are not for the back end
        kept = ("accept", "content-type")
        headers = {key: value for key, value in request.headers.items() if key in kept or key.startswith("x-loki")}
        try:
            answer = await Backend(self._grafana.backends, source).send(
                request.method,
                path,
                params=request.query_params.multi_items(),
                body=await request.body(),
                headers=headers,
            )
        except BackendError:
            return Response(status_code=502)
        passed = {key: value for key, value in answer.headers.items() if key.lower() not in HOP}
        return Response(answer.content, answer.status_code, passed)

    def _find(self, request: Request) -> Resource:
        params = request.path_params
        source = by_name(self._store, params["name"]) if "name" in params else self._store.get(KIND, params["uid"])
        if source is None:
            raise ApiError(404, NOT_FOUND)
        return source


def _check(body: Mapping[str, Any]) -> None:
    name, kind, url = body.get("name"), body.get("type"), body.get("url") or ""
    if not isinstance(name, str) or not name or not isinstance(kind, str) or not kind:
        raise ApiError(400, "bad request data")
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or (url and (re.search(r"\s", url) or not parts.netloc)):
        raise ApiError(400, "Validation error, invalid URL")


def _brief(source: Resource) -> dict[str, Any]:
    spec, kind = source.spec, source.spec["type"]
    return {
        "id": source.internal_id,
        "uid": source.uid,
        "orgId": 1,
        "typeName": TYPES.get(kind, kind),
        "typeLogoUrl": f"public/plugins/{kind}/img/logo.svg",
        **{key: spec[key] for key in FIELDS if key not in DETAIL},
    }


def _show(source: Resource) -> dict[str, Any]:
    fields = {key: True for key, value in source.spec["secureJsonData"].items() if value}
    detail = {key: source.spec[key] for key in DETAIL}
    return {**_brief(source), **detail, "secureJsonFields": fields, "version": source.generation}


def _written(message: str, source: Resource) -> dict[str, Any]:
    name = source.spec["name"]
    return {"message": message, "id": source.internal_id, "name": name, "datasource": _show(source)}


Health = tuple[str, dict[str, Any], bool]


async def _prometheus(backend: Backend) -> Health:
    try:
        await backend.json("/api/v1/query", {"query": "1+1"})
    except BackendError as error:
        return f"{error} - There was an error returned querying the Prometheus API.", {}, False
    return "Successfully queried the Prometheus API.", {"application": "Prometheus", "features": {}}, True


async def _loki(backend: Backend) -> Health:
    failed = "Unable to connect with Loki. Please check the server logs for more details."
    try:
        answer = await backend.json("/loki/api/v1/query", {"query": "vector(1)+vector(1)"})
        two = float(answer["data"]["result"][0]["value"][1]) == 2
    except (BackendError, LookupError, TypeError, ValueError):
        return failed, {}, False
    return ("Data source successfully connected.", {}, True) if two else (failed, {}, False)


async def _tempo(backend: Backend) -> Health:
    try:
        await backend.text("/api/echo")
    except BackendError as error:
        return str(error), {}, False
    return "Data source is working", {}, True


HEALTH = {"prometheus": _prometheus, "loki": _loki, "tempo": _tempo}
