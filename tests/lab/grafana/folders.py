# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders: /api/folders, and /apis/folder.grafana.app."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import dashboards
from tests.lab.grafana.context import Grafana, caller, check_uid, number, read_json, slug
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.k8s import Collection, is_dry_run
from tests.lab.grafana.store import Draft, Resource, Store

KIND = "folders"
MAX_DEPTH = 5
RESERVED = ("general", "sharedwithme")
CHANGED = "the folder has been changed by someone else"
UPDATED = "The dashboard has been changed by someone else"


def _missing() -> ApiError:
    return ApiError(404, "folder not found", tag="not-found")


def parents(store: Store, folder: Resource) -> list[Resource]:
    """From the root down, without the folder itself."""
    found: list[Resource] = []
    while folder.folder:
        above = store.get(KIND, folder.folder)
        if above is None:
            break
        found.insert(0, above)
        folder = above
    return found


def _children(store: Store, uid: str) -> list[Resource]:
    return [folder for folder in store.all_of(KIND) if folder.folder == uid]


def _height(store: Store, uid: str) -> int:
    return 1 + max((_height(store, child.uid) for child in _children(store, uid)), default=0)


def content(store: Store, uid: str) -> dict[str, int]:
    """What is in the folder and in those below it."""
    counts: Counter[str] = Counter()
    for kind in (dashboards.KIND, KIND):
        counts[kind] = sum(1 for item in store.all_of(kind) if item.folder == uid)
    for child in _children(store, uid):
        counts.update(content(store, child.uid))
    return dict(counts)


def check(grafana: Grafana, uid: str, title: object, parent: str, *, height: int = 1) -> None:
    """Rules for a new or moved folder. `height`: levels that come with it."""
    store, refusal = grafana.store, 500 if grafana.release.unified_folders else 400
    if not isinstance(title, str) or not title.strip():
        raise ApiError(400, "folder title cannot be empty")
    check_uid(uid)
    if uid in RESERVED:
        raise ApiError(refusal, "invalid uid for folder provided")
    if not parent:
        return
    if parent == uid:
        raise ApiError(400, "folder cannot be parent of itself")
    above = store.get(KIND, parent)
    if above is None:
        if grafana.release.unified_folders:
            return  # it is made all the same, an orphan
        raise _missing()
    chain = [*parents(store, above), above]
    if any(folder.uid == uid for folder in chain):
        wrong = "cannot move folder under its own descendant, this would create a circular reference"
        raise ApiError(refusal, wrong)
    if len(chain) + height > MAX_DEPTH:
        raise ApiError(refusal, f"folder max depth exceeded, max depth is {MAX_DEPTH - 1}")


class Folders(Collection):
    """/apis: refuses to delete a folder that is not empty; a PUT with another parent moves."""

    group = "folder.grafana.app"
    plural = KIND
    kind = "Folder"

    def __init__(self, grafana: Grafana) -> None:
        super().__init__(grafana, grafana.release.folder_versions)

    def admit(self, draft: Draft, old: Resource | None, version: str, request: Request) -> Draft:
        if is_dry_run(request) and old is None and not draft.folder:
            if self._grafana.store.existed(KIND, draft.uid):
                raise ApiError(412, CHANGED)
            raise self.missing(draft.uid)
        parent = "" if is_dry_run(request) else draft.folder
        height = _height(self._grafana.store, draft.uid) if old else 1
        check(self._grafana, draft.uid, draft.spec.get("title"), parent, height=height)
        spec = {key: value for key, value in draft.spec.items() if key in ("title", "description")}
        return replace(draft, spec=spec)

    def after_create(self, resource: Resource, *, wants_permissions: bool, actor: str) -> None:
        """Its permissions are the default ones until somebody sets others."""

    def present(self, resource: Resource, version: str) -> dict[str, Any]:
        return resource.spec

    def check_delete(self, resource: Resource) -> None:
        counts = content(self._grafana.store, resource.uid)
        contents = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        if contents and self._grafana.release.unified_folders:
            raise ApiError(400, "Folder cannot be deleted: folder is not empty")
        if contents:
            raise ApiError(400, f"folder is not empty, contains {contents}")


class LegacyFolders:
    """/api: deleting a folder deletes what is in it."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._store = grafana.store

    def routes(self) -> list[Route]:
        one = "/api/folders/{uid}"
        return [
            Route("/api/folders", self._list, methods=["GET"]),
            Route("/api/folders", self._create, methods=["POST"]),
            Route(one, self._get, methods=["GET"]),
            Route(one, self._update, methods=["PUT"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(one + "/move", self._move, methods=["POST"]),
            Route(one + "/counts", self._counts, methods=["GET"]),
            Route(one + "/permissions", self._permissions, methods=["GET"]),
            Route(one + "/permissions", self._permit, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        caller(request).need("folders:read")
        query = request.query_params
        limit, page = number(query.get("limit"), 1000), number(query.get("page"), 1)
        parent = query.get("parentUid", "") if self._grafana.release.nests_folders else ""
        level = sorted(_children(self._store, parent), key=lambda item: item.spec["title"].lower())
        hits = [
            {"id": item.internal_id, "uid": item.uid, "title": item.spec["title"]}
            | ({"parentUid": item.folder} if item.folder else {})
            for item in level[(page - 1) * limit : page * limit]
        ]
        return JSONResponse(hits)

    async def _get(self, request: Request) -> Response:
        caller(request).need("folders:read")
        return JSONResponse(self._show(self._find(request)))

    async def _create(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("folders:create")
        body = await read_json(request)
        uid = str(body.get("uid") or "") or "f" + secrets.token_hex(6)
        parent = str(body.get("parentUid") or "") if self._grafana.release.nests_folders else ""
        check(self._grafana, uid, body.get("title"), parent)
        if self._store.get(KIND, uid):
            if self._grafana.release.folder_uid_conflict == 412:
                raise self._changed(CHANGED)
            raise ApiError(409, "a folder with the same UID already exists")
        beside = [item.spec["title"] for item in self._store.all_of(KIND)]
        if self._grafana.release.unique_titles and body["title"] in beside:
            raise ApiError(409, "a folder or dashboard in the general folder with the same name already exists")
        draft = Draft(KIND, uid, _spec(body), parent)
        return JSONResponse(self._show(self._store.create(draft, identity.uid)))

    async def _update(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("folders:write")
        old = self._find(request)
        body = await read_json(request)
        check(self._grafana, old.uid, body.get("title"), "")
        if not body.get("overwrite") and body.get("version") != old.generation:
            raise self._changed(UPDATED if self._grafana.release.unified_folders else CHANGED)
        draft = Draft(KIND, old.uid, {**old.spec, **_spec(body)}, old.folder, old.annotations)
        return JSONResponse(self._show(self._store.replace(draft, identity.uid)))

    def _changed(self, message: str) -> ApiError:
        return ApiError(412, message, tag="" if self._grafana.release.unified_folders else "version-mismatch")

    async def _move(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("folders:write")
        old = self._find(request)
        parent = str((await read_json(request)).get("parentUid") or "")
        check(self._grafana, old.uid, old.spec["title"], parent, height=_height(self._store, old.uid))
        draft = Draft(KIND, old.uid, old.spec, parent, old.annotations)
        return JSONResponse(self._show(self._store.replace(draft, identity.uid)))

    async def _delete(self, request: Request) -> Response:
        caller(request).need("folders:delete")
        self._remove(self._find(request))
        return JSONResponse({"message": "Folder deleted"})

    def _remove(self, folder: Resource) -> None:
        for child in _children(self._store, folder.uid):
            self._remove(child)
        for item in self._store.all_of(dashboards.KIND):
            if item.folder == folder.uid:
                self._store.delete(dashboards.KIND, item.uid)
        self._store.delete(KIND, folder.uid)

    async def _counts(self, request: Request) -> Response:
        caller(request).need("folders:read")
        folder = self._find(request)
        counts = content(self._store, folder.uid)
        return JSONResponse({"alertrule": 0, "dashboard": counts[dashboards.KIND], "folder": counts[KIND]})

    async def _permissions(self, request: Request) -> Response:
        caller(request).need("folders:read")
        stored = self._store.get("permissions", self._find(request).uid)
        default = [{"role": "Viewer", "permission": 1}, {"role": "Editor", "permission": 2}]
        return JSONResponse(stored.spec["items"] if stored else default)

    async def _permit(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("folders:write")
        folder = self._find(request)
        items = (await read_json(request)).get("items")
        if not isinstance(items, list):
            raise ApiError(400, "bad request data")
        draft = Draft("permissions", folder.uid, {"items": items})
        known = self._store.get("permissions", folder.uid)
        (self._store.replace if known else self._store.create)(draft, identity.uid)
        return JSONResponse({"message": "Folder permissions updated", "id": folder.internal_id})

    def _find(self, request: Request) -> Resource:
        folder = self._store.get(KIND, request.path_params["uid"])
        if folder is None:
            raise _missing()
        return folder

    def _show(self, folder: Resource) -> dict[str, Any]:
        shown = self._brief(folder) | {
            "hasAcl": False,
            "canSave": True,
            "canEdit": True,
            "canAdmin": True,
            "canDelete": True,
            "createdBy": folder.created_by.partition(":")[2],
            "created": folder.created,
            "updatedBy": folder.changed_by.partition(":")[2],
            "updated": folder.changed,
            "version": folder.generation,
        }
        if folder.spec.get("description"):
            shown["description"] = folder.spec["description"]
        if folder.folder:
            shown["parentUid"] = folder.folder
            shown["parents"] = [self._brief(above) for above in parents(self._store, folder)]
        return shown

    def _brief(self, folder: Resource) -> dict[str, Any]:
        title = folder.spec["title"]
        url = f"/dashboards/f/{folder.uid}/{slug(title)}"
        return {"id": folder.internal_id, "uid": folder.uid, "orgId": 1, "title": title, "url": url}


def _spec(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("title", "description") if body.get(key) is not None}
