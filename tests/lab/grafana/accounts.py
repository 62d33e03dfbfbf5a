# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service accounts and their tokens, the organisation, and the caller."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import access
from tests.lab.grafana.auth import Role, hash_token
from tests.lab.grafana.context import Grafana, caller, number, read_json
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.store import Draft, Resource

KIND = "serviceaccounts"
TOKENS = "tokens"


class Accounts:
    """The endpoints."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._store = grafana.store

    def routes(self) -> list[Route]:
        one = "/api/serviceaccounts/{id:int}"
        return [
            Route("/api/org", self._org, methods=["GET"]),
            Route("/api/user", self._user, methods=["GET"]),
            Route("/api/access-control/user/permissions", self._permissions, methods=["GET"]),
            Route("/api/login/ping", self._ping, methods=["GET"]),
            Route("/api/serviceaccounts/search", self._search, methods=["GET"]),
            Route("/api/serviceaccounts", self._create, methods=["POST"]),
            Route(one, self._get, methods=["GET"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(one + "/tokens", self._tokens, methods=["GET"]),
            Route(one + "/tokens", self._new_token, methods=["POST"]),
            Route(one + "/tokens/{token:int}", self._delete_token, methods=["DELETE"]),
        ]

    async def _org(self, request: Request) -> Response:
        caller(request).need("orgs:read")
        return JSONResponse({"id": 1, "name": "Main Org.", "address": {}})

    async def _user(self, request: Request) -> Response:
        identity = caller(request)
        is_admin = identity.role is Role.SERVER_ADMIN
        body = {"id": 1, "uid": identity.name, "login": identity.name, "orgId": 1, "isGrafanaAdmin": is_admin}
        return JSONResponse(body)

    async def _permissions(self, request: Request) -> Response:
        return JSONResponse(access.scopes(self._store, caller(request)))

    async def _ping(self, request: Request) -> Response:
        return JSONResponse({"message": "Logged in"})

    async def _search(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:read")
        query = request.query_params
        page, size = number(query.get("page"), 1), number(query.get("perpage"), 1000)
        wanted = query.get("query", "").lower()
        found = [item for item in self._store.all_of(KIND) if wanted in item.spec["name"].lower()]
        shown = [self._show(item) for item in found[(page - 1) * size : page * size]]
        body = {"totalCount": len(found), "serviceAccounts": shown, "page": page, "perPage": size}
        return JSONResponse(body)

    async def _create(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("serviceaccounts:create")
        body = await read_json(request)
        name, role = body.get("name"), body.get("role") or "Viewer"
        if not isinstance(name, str) or not name or role not in ("None", "Viewer", "Editor", "Admin"):
            raise ApiError(400, "bad request data")
        if Role[role.upper()] > identity.role:
            raise ApiError(403, "can not assign a role higher than user's role")
        login = f"sa-1-{name.lower().replace(' ', '-')}"
        if any(item.spec["login"] == login for item in self._store.all_of(KIND)):
            raise ApiError(400, "service account already exists", message_id="serviceaccounts.ErrAlreadyExists")
        spec = {"name": name, "login": login, "role": role, "isDisabled": bool(body.get("isDisabled"))}
        account = self._store.create(Draft(KIND, "s" + secrets.token_hex(6), spec), identity.uid)
        return JSONResponse(self._show(account), 201)

    async def _get(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:read")
        return JSONResponse(self._show(self._find(request)))

    async def _delete(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:delete")
        account = self._find(request)
        for token in self._of(account):
            self._store.delete(TOKENS, token.uid)
        self._store.delete(KIND, account.uid)
        return JSONResponse({"message": "Service account deleted"})

    async def _tokens(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:read")
        tokens = self._of(self._find(request))
        return JSONResponse([{"id": token.internal_id, "name": token.spec["name"]} for token in tokens])

    async def _new_token(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("serviceaccounts:write")
        account = self._find(request)
        body = await read_json(request)
        name, lives = body.get("name"), body.get("secondsToLive") or 0
        if not isinstance(name, str) or not name or not isinstance(lives, int) or lives < 0:
            raise ApiError(400, "bad request data")
        if any(token.spec["name"] == name for token in self._of(account)):
            raise ApiError(409, "token name already exists", message_id="serviceaccounts.ErrTokenAlreadyExists")
        key = f"glsa_{secrets.token_urlsafe(24)}_{secrets.token_hex(4)}"
        expires = self._grafana.clock() + lives if lives else 0
        draft = Draft(TOKENS, hash_token(key), {"name": name, "expires": expires}, account.uid)
        token = self._store.create(draft, identity.uid)
        return JSONResponse({"id": token.internal_id, "name": name, "key": key})

    async def _delete_token(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:write")
        for token in self._of(self._find(request)):
            if token.internal_id == request.path_params["token"]:
                self._store.delete(TOKENS, token.uid)
                return JSONResponse({"message": "Service account token deleted"})
        raise ApiError(404, "service account token not found", message_id="serviceaccounts.ErrTokenNotFound")

    def _of(self, account: Resource) -> list[Resource]:
        return [token for token in self._store.all_of(TOKENS) if token.folder == account.uid]

    def _find(self, request: Request) -> Resource:
        account = self._store.by_id(KIND, request.path_params["id"])
        if account is None:
            raise ApiError(404, "service account not found", message_id="serviceaccounts.ErrNotFound")
        return account

    def _show(self, account: Resource) -> dict[str, Any]:
        count = len(self._of(account))
        return {"id": account.internal_id, "uid": account.uid, "orgId": 1, **account.spec, "tokens": count}
