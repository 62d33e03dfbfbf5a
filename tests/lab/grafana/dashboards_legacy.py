# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards under /api/dashboards: save, read, delete, versions."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import access, dashboards, schema
from tests.lab.grafana.context import Grafana, caller, number, read_json, slug
from tests.lab.grafana.dashboards_k8s import Dashboards
from tests.lab.grafana.errors import ApiError, forbidden
from tests.lab.grafana.k8s import MESSAGE
from tests.lab.grafana.store import Draft, Resource

V2 = (
    "This looks like a V2 dashboard spec. It should be sent to /apis/dashboard.grafana.app/v2"
    " OR it should include a object wrapper with an explicit 'apiVersion' and move the body into a 'spec' element"
)
K8S_STYLE = ("apiVersion", "kind", "metadata")
NOT_FOUND = "Dashboard not found"


class LegacyDashboards:
    """A client of the same store: what is saved here is stored as it was sent, not migrated."""

    def __init__(self, grafana: Grafana, resources: Dashboards) -> None:
        self._grafana = grafana
        self._store = grafana.store
        self._resources = resources

    def routes(self) -> list[Route]:
        one = "/api/dashboards/uid/{uid}"
        return [
            Route("/api/dashboards/db", self._save, methods=["POST"]),
            Route("/api/dashboards/tags", self._tags, methods=["GET"]),
            Route(one, self._get, methods=["GET"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(one + "/versions", self._versions, methods=["GET"]),
            Route(one + "/versions/{version:int}", self._version, methods=["GET"]),
            Route(one + "/restore", self._restore, methods=["POST"]),
        ]

    async def _save(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("dashboards:create", "dashboards:write")
        body = await read_json(request, "Dashboard is too large, max is 16 MB")
        spec = body.get("dashboard")
        if not isinstance(spec, dict):
            raise ApiError(400, "bad request data")
        if body.get("isFolder"):
            raise ApiError(400, "Use folders endpoint for saving folders.")
        api_version = "v0alpha1"
        if self._grafana.release.knows_resources:
            if dashboards.is_bare_v2(spec):
                raise ApiError(400, V2)
            if any(key in spec for key in K8S_STYLE):
                api_version, spec = self._unwrap(spec)
        message = str(body.get("message") or "")
        uid = str(spec.get("uid") or "")
        old = self._existing(spec, uid)
        uid = old.uid if old else uid or "a" + secrets.token_hex(6)
        stored = self._admit(uid, spec, message, migrate=api_version != "v0alpha1")
        folder = str(body.get("folderUid") or "")
        if old and dashboards.is_locked(old):
            raise ApiError(400, "Cannot save provisioned dashboard")
        if old and not body.get("overwrite") and spec.get("version") != old.generation:
            raise self._changed()
        if folder and self._store.get("folders", folder) is None:
            raise ApiError(400, "folder not found")
        if self._grafana.release.unique_titles and self._has_equal_title(uid, stored["title"], folder):
            raise ApiError(412, "A dashboard with the same name in the folder already exists", tag="name-exists")
        notes = {MESSAGE: message} if message else {}
        draft = Draft(dashboards.KIND, uid, stored, folder, notes, api_version)
        return JSONResponse(_saved(self._write(draft, old, identity.uid)))

    def _has_equal_title(self, uid: str, title: str, folder: str) -> bool:
        return any(
            item.uid != uid and item.folder == folder and item.spec["title"] == title
            for item in self._store.all_of(dashboards.KIND)
        )

    def _admit(self, uid: str, spec: dict[str, Any], message: str, *, migrate: bool) -> dict[str, Any]:
        version = spec.get("version")
        if self._grafana.release.rewired_save and version is not None and not _is_number(version):
            kind = {str: "string", bool: "bool", dict: "map[string]interface {}"}.get(type(version), "[]interface {}")
            raise ApiError(400, f"spec.version has unsupported type {kind}")
        stored = dashboards.clean(spec)
        if not self._grafana.release.rewired_save and isinstance(stored.get("title"), str):
            stored["title"] = stored["title"].strip()
        dashboards.raise_refresh(self._grafana, stored)
        dashboards.check(self._grafana, uid, stored, message)
        if migrate:
            try:
                return self._resources.migrate(stored)
            except schema.MigrationError:
                return stored  # this path validates with Warn
        return stored

    def _write(self, draft: Draft, old: Resource | None, actor: str) -> Resource:
        if old is None:
            created = self._store.create(draft, actor)
            access.grant_defaults(self._store, created, actor)
            return created
        always = not self._grafana.release.saves_through_apis
        return self._store.replace(draft, actor, always=always)

    def _existing(self, spec: dict[str, Any], uid: str) -> Resource | None:
        """Which dashboard is meant, by uid or by the old numeric id."""
        known = self._store.get(dashboards.KIND, uid) if uid else None
        internal_id = _number(spec.get("id"))
        if internal_id <= 0:
            return known
        by_id = self._store.by_id(dashboards.KIND, internal_id)
        if by_id is None and not uid:
            raise ApiError(404, NOT_FOUND)
        if by_id is None or by_id.uid == uid:
            return known
        if not uid:
            return by_id
        if known:
            raise ApiError(400, "A dashboard with the same uid already exists")
        raise ApiError(409, f"deprecatedInternalID={internal_id} is already in use")

    def _unwrap(self, wrapped: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A Kubernetes object sent here. Its own labels and annotations are dropped."""
        group, _, version = str(wrapped.get("apiVersion") or "").partition("/")
        if not group:
            wrong = "Dashboard appears to be a k8s style resource, but is missing an explicit apiVersion."
            raise ApiError(400, wrong)
        if group != self._resources.group:
            wrong = "The dashboard payload references a non dashboard apiVersion.  "
            raise ApiError(400, wrong + "This should be sent to the requested api directly")
        if "id" in wrapped:
            raise ApiError(400, "The k8s style dashboard must not include an id on the root element")
        if not isinstance(wrapped.get("spec"), dict):
            wrong = "The k8s style dashboard must include the dashboard contents in the spec property"
            raise ApiError(400, wrong)
        if version not in self._resources.versions:
            raise ApiError(400, f"the double keeps classic dashboards only, not {version}")
        name = wrapped.get("uid") or (wrapped.get("metadata") or {}).get("name") or wrapped["spec"].get("uid")
        return version, {**wrapped["spec"], "uid": name}

    def _changed(self) -> ApiError:
        if self._grafana.release.rewired_save:
            return ApiError(409, "Dashboard already exists. Use overwrite flag to update.")
        return ApiError(412, "The dashboard has been changed by someone else", tag="version-mismatch")

    async def _get(self, request: Request) -> Response:
        caller(request).need("dashboards:read")
        resource = self._find(request)
        if not access.may_read(self._store, caller(request), resource):
            raise forbidden(["dashboards:read"])
        wanted = request.query_params.get("apiVersion", "")
        spec = self._resources.present(resource, wanted) if wanted in ("v1", "v1beta1") else resource.spec
        identity = {"id": resource.internal_id, "uid": resource.uid, "version": resource.generation}
        return JSONResponse({"dashboard": {**spec, **identity}, "meta": self._meta(resource)})

    def _meta(self, resource: Resource) -> dict[str, Any]:
        folder = self._store.get("folders", resource.folder) if resource.folder else None
        if resource.folder and folder is None:
            raise ApiError(404, "Folder not found")
        title = slug(resource.spec["title"])
        writes = not dashboards.is_locked(resource)
        meta = {
            "type": "db",
            "canSave": writes,
            "canEdit": writes,
            "canAdmin": True,
            "canStar": True,
            "canDelete": writes,
            "slug": title,
            "url": f"/d/{resource.uid}/{title}",
            "created": resource.created,
            "updated": resource.changed,
            "createdBy": resource.created_by.partition(":")[2],
            "updatedBy": resource.changed_by.partition(":")[2],
            "version": resource.generation,
            "hasAcl": False,
            "isFolder": False,
            "folderId": folder.internal_id if folder else 0,
            "folderUid": resource.folder,
            "folderTitle": folder.spec["title"] if folder else "General",
            "folderUrl": f"/dashboards/f/{folder.uid}/{slug(folder.spec['title'])}" if folder else "",
            "provisioned": dashboards.is_provisioned(resource),
            "provisionedExternalId": resource.annotations.get("grafana.app/sourcePath", ""),
        }
        return meta | ({"apiVersion": resource.api_version} if self._grafana.release.knows_resources else {})

    async def _delete(self, request: Request) -> Response:
        caller(request).need("dashboards:delete")
        resource = self._find(request)
        self._resources.check_delete(resource)
        self._store.delete(dashboards.KIND, resource.uid)
        title = resource.spec["title"]
        return JSONResponse({"title": title, "message": f"Dashboard {title} deleted", "uid": resource.uid})

    async def _versions(self, request: Request) -> Response:
        caller(request).need("dashboards:write")
        resource = self._find(request)
        query = request.query_params
        start, limit = number(query.get("start"), 0), number(query.get("limit"), 1000)
        entries = [_listed(entry, resource) for entry in self._past(resource)][start : start + limit]
        if self._grafana.release.lists_versions_bare:
            return JSONResponse(entries)
        return JSONResponse({"versions": entries, "continueToken": ""})

    async def _version(self, request: Request) -> Response:
        caller(request).need("dashboards:write")
        resource = self._find(request)
        return JSONResponse(_past(self._at(resource, request.path_params["version"]), resource))

    async def _restore(self, request: Request) -> Response:
        identity = caller(request)
        identity.need("dashboards:write")
        resource = self._find(request)
        past = self._at(resource, (await read_json(request)).get("version", 0))
        if past.spec == resource.spec:
            raise ApiError(400, "Current dashboard is identical to the specified version")
        notes = {MESSAGE: f"Restored from version {past.generation}"}
        draft = Draft(dashboards.KIND, resource.uid, past.spec, resource.folder, notes, past.api_version)
        return JSONResponse(_saved(self._write(draft, resource, identity.uid)))

    async def _tags(self, request: Request) -> Response:
        caller(request).need("dashboards:read")
        counts = Counter(tag for item in self._store.all_of(dashboards.KIND) for tag in item.spec.get("tags") or [])
        return JSONResponse([{"term": term, "count": counts[term]} for term in sorted(counts)])

    def _past(self, resource: Resource) -> list[Resource]:
        """Newest first, one entry a version: the last state it had."""
        newest: dict[int, Resource] = {}
        for entry in self._store.history(resource):
            newest.setdefault(entry.generation, entry)
        return list(newest.values())

    def _at(self, resource: Resource, version: object) -> Resource:
        for entry in self._past(resource):
            if entry.generation == version:
                return entry
        # Grafana answers 500 here, not 404
        raise ApiError(500, f"Dashboard version {version} not found for dashboardId {resource.internal_id}")

    def _find(self, request: Request) -> Resource:
        resource = self._store.get(dashboards.KIND, request.path_params["uid"])
        if resource is None:
            raise ApiError(404, NOT_FOUND)
        return resource


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> int:
    """A JSON number as an integer; 0 for what is none."""
    return int(value) if _is_number(value) else 0


def _saved(resource: Resource) -> dict[str, Any]:
    title = slug(resource.spec["title"])
    return {
        "id": resource.internal_id,
        "uid": resource.uid,
        "url": f"/d/{resource.uid}/{title}",
        "status": "success",
        "version": resource.generation,
        "slug": title,
        "folderUid": resource.folder,
    }


def _listed(entry: Resource, current: Resource) -> dict[str, Any]:
    """In the list the first one has another message, and so it does in Grafana."""
    shown = _past(entry, current)
    return shown if shown["parentVersion"] else {**shown, "message": "Initial save"}


def _past(entry: Resource, current: Resource) -> dict[str, Any]:
    return {
        "id": entry.generation,
        "dashboardId": current.internal_id,
        "dashboardUid": current.uid,
        "parentVersion": entry.generation - 1,
        "restoredFrom": 0,
        "version": entry.generation,
        "created": entry.changed,
        "createdBy": entry.changed_by.partition(":")[2],
        "message": entry.annotations.get(MESSAGE, ""),
        "data": entry.spec,
    }
