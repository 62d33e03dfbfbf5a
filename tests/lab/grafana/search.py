# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /api/search: reads an index that may lag behind the writes, as Grafana's does."""

from __future__ import annotations

from collections import deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import dashboards, folders
from tests.lab.grafana.access import may_read
from tests.lab.grafana.context import Grafana, caller, number, slug
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.store import Resource

LIMIT = 5000
KINDS = (folders.KIND, dashboards.KIND)


class Index:
    """Folders and dashboards, `delay` seconds late."""

    def __init__(self, grafana: Grafana) -> None:
        self._clock = grafana.clock
        self._delay = grafana.faults.search_delay
        self._known = {(kind, item.uid): item for kind in KINDS for item in grafana.store.all_of(kind)}
        self._coming: deque[tuple[float, str, str, Resource | None]] = deque()
        grafana.store.subscribe(self._note)

    def _note(self, kind: str, uid: str, resource: Resource | None) -> None:
        if kind in KINDS:
            self._coming.append((self._clock() + self._delay, kind, uid, resource))

    def items(self) -> list[Resource]:
        while self._coming and self._coming[0][0] <= self._clock():
            _, kind, uid, resource = self._coming.popleft()
            if resource is None:
                self._known.pop((kind, uid), None)
            else:
                self._known[kind, uid] = resource
        return list(self._known.values())


class Search:
    """The endpoint."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._index = Index(grafana)

    def routes(self) -> list[Route]:
        return [Route("/api/search", self._search, methods=["GET"])]

    async def _search(self, request: Request) -> Response:
        caller(request).need("dashboards:read", "folders:read")
        query = request.query_params
        limit, page = number(query.get("limit"), 1000), number(query.get("page"), 1)
        if limit > LIMIT:
            wrong = f"Limit is above maximum allowed ({LIMIT}), use page parameter to access hits beyond limit"
            raise ApiError(422, wrong)
        uids, ids = _many(request, "dashboardUIDs"), _many(request, "dashboardIds")
        if uids and ids:
            raise ApiError(400, "search supports UIDs or IDs, not both")
        hits = [item for item in self._index.items() if self._is_visible(request, item)]
        hits = [item for item in hits if _fits(request, item, uids, ids)]
        hits.sort(key=_order, reverse=query.get("sort") == "alpha-desc")
        return JSONResponse([self._hit(item) for item in hits[(page - 1) * limit : page * limit]])

    def _is_visible(self, request: Request, item: Resource) -> bool:
        return item.kind == folders.KIND or may_read(self._grafana.store, caller(request), item)

    def _hit(self, item: Resource) -> dict[str, Any]:
        title = slug(item.spec["title"])
        is_folder = item.kind == folders.KIND
        hit = {
            "id": item.internal_id,
            "uid": item.uid,
            "orgId": 1,
            "title": item.spec["title"],
            "uri": f"db/{title}",
            "url": f"/dashboards/f/{item.uid}/{title}" if is_folder else f"/d/{item.uid}/{title}",
            "slug": "",
            "type": "dash-folder" if is_folder else "dash-db",
            "tags": _tags(item),
            "isStarred": False,
            "sortMeta": 0,
            "isDeleted": False,
        }
        above = self._grafana.store.get(folders.KIND, item.folder) if item.folder else None
        if above is None:
            return hit
        name = above.spec["title"]
        url = f"/dashboards/f/{above.uid}/{slug(name)}"
        return hit | {"folderId": above.internal_id, "folderUid": above.uid, "folderTitle": name, "folderUrl": url}


def _fits(request: Request, item: Resource, uids: list[str], ids: list[str]) -> bool:
    query = request.query_params
    wanted = {"dash-db": dashboards.KIND, "dash-folder": folders.KIND}.get(query.get("type", ""))
    within = _many(request, "folderUIDs")
    return (
        (wanted is None or item.kind == wanted)
        and query.get("query", "").lower() in item.spec["title"].lower()
        and set(_many(request, "tag")) <= set(_tags(item))
        and (not uids or item.uid in uids)
        and (not ids or str(item.internal_id) in ids)
        and (not within or (item.folder or "general") in within)
        and query.get("starred") != "true"
    )


def _order(item: Resource) -> tuple[bool, str, str]:
    return item.kind != folders.KIND, item.spec["title"].lower(), item.uid


def _tags(item: Resource) -> list[str]:
    return sorted(item.spec.get("tags") or [])


def _many(request: Request, name: str) -> list[str]:
    return [part for value in request.query_params.getlist(name) for part in value.split(",") if part]
