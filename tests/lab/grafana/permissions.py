# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: the permissions of a dashboard, and the teams and users that they name.

Of these only reading is enforced (access.py); what else a caller may do follows from the role alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import access, dashboards
from tests.lab.grafana.context import Grafana, caller, number, read_json
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.store import Draft, Resource

TEAMS, USERS = "teams", "users"
LEVELS = {1: "View", 2: "Edit", 4: "Admin"}
ROLES = ("Viewer", "Editor")


class Permissions:
    """The endpoints."""

    def __init__(self, grafana: Grafana) -> None:
        self._store, self._release = grafana.store, grafana.release

    def routes(self) -> list[Route]:
        one = "/api/dashboards/uid/{uid}/permissions"
        return [
            Route(one, self._get, methods=["GET"]),
            Route(one, self._set, methods=["POST"]),
            Route("/api/teams/search", self._search, methods=["GET"]),
            Route("/api/teams", self._create, methods=["POST"]),
            Route("/api/org/users", self._users, methods=["GET"]),
        ]

    async def _get(self, request: Request) -> Response:
        caller(request).need("dashboards:write")
        resource = self._find(request)
        shown = [self._show(item, inherited=False) for item in access.own_entries(self._store, resource)]
        if resource.folder and self._release.lists_inherited_permissions:
            shown += [self._show(item, inherited=True) for item in access.folder_entries(self._store, resource.folder)]
        return JSONResponse(shown)

    async def _set(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("dashboards:write")
        resource = self._find(request)
        items = (await read_json(request)).get("items")
        if not isinstance(items, list) or not all(self._is_valid(item) for item in items):
            raise ApiError(400, "bad request data")
        teams = [item["teamId"] for item in items if item.get("teamId")]
        if any(self._store.by_id(TEAMS, team) is None for team in teams):
            raise ApiError(500, "Failed to set permissions")
        access.set_entries(self._store, resource, items, identity.uid)
        body = {"message": "Dashboard permissions updated", "id": resource.internal_id, "title": resource.spec["title"]}
        return JSONResponse(body)

    def _is_valid(self, item: Any) -> bool:
        if not isinstance(item, dict) or not isinstance(item.get("permission"), int):
            return False
        team, user = item.get("teamId"), item.get("userId")
        return (
            item.get("role") in ROLES
            or isinstance(team, int)
            or (isinstance(user, int) and self._store.by_id(USERS, user) is not None)
        )

    def _show(self, item: Mapping[str, Any], *, inherited: bool) -> dict[str, Any]:
        team = self._store.by_id(TEAMS, item.get("teamId", 0))
        user = self._store.by_id(USERS, item.get("userId", 0))
        return {
            "userId": item.get("userId", 0),
            "userLogin": user.uid if user else "",
            "teamId": item.get("teamId", 0),
            "team": team.spec["name"] if team else "",
            "permission": item["permission"],
            "permissionName": LEVELS.get(item["permission"], ""),
            "inherited": inherited,
            **({"role": item["role"]} if item.get("role") else {}),
        }

    async def _search(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:read")
        query = request.query_params
        page, size = number(query.get("page"), 1), number(query.get("perpage"), 1000)
        found = [
            {"id": team.internal_id, "uid": team.uid, "orgId": 1, "name": team.spec["name"]}
            for team in self._store.all_of(TEAMS)
            if query.get("query", "").lower() in team.spec["name"].lower()
        ]
        body = {"totalCount": len(found), "teams": found[(page - 1) * size : page * size], "page": page}
        return JSONResponse({**body, "perPage": size})

    async def _create(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("serviceaccounts:create")
        name = (await read_json(request)).get("name")
        if not isinstance(name, str) or not name:
            raise ApiError(400, "bad request data")
        if any(team.spec["name"] == name for team in self._store.all_of(TEAMS)):
            raise ApiError(409, "Team name taken")
        uid = f"t{len(self._store.all_of(TEAMS)):012}"
        team = self._store.create(Draft(TEAMS, uid, {"name": name}), identity.uid)
        return JSONResponse({"message": "Team created", "teamId": team.internal_id, "uid": uid})

    async def _users(self, request: Request) -> Response:
        caller(request).need("serviceaccounts:read")
        users = [{"orgId": 1, "userId": user.internal_id, "login": user.uid} for user in self._store.all_of(USERS)]
        return JSONResponse(users)

    def _find(self, request: Request) -> Resource:
        resource = self._store.get(dashboards.KIND, request.path_params["uid"])
        if resource is None:
            raise ApiError(404, "Dashboard not found")
        return resource
