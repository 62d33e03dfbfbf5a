# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What folders and dashboards have in common under /apis: a small Kubernetes API server.

Not here, and answered as any Kubernetes would answer: PATCH and watch (405), trash and restore.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana.auth import Identity
from tests.lab.grafana.context import Grafana, caller, number, read_json
from tests.lab.grafana.errors import ApiError, forbidden
from tests.lab.grafana.store import ConflictError, Draft, ExistsError, Resource

FOLDER = "grafana.app/folder"
MESSAGE = "grafana.app/message"
MANAGER = "grafana.app/managedBy"
INTERNAL_ID = "grafana.app/deprecatedInternalID"
HISTORY = "grafana.app/get-history=true"
FILE_MANAGER = "classic-file-provisioning"
# Own labels and annotations are "supported on some instances, otherwise ignored": here they are ignored.
GRANT = "grafana.app/grant-permissions"
KEPT = (MESSAGE, GRANT, "grafana.app/manage", "grafana.app/source")
PAGE = 500  # not established for Grafana; a client follows `continue` whatever it is
PAGE_BYTES = 2 * 1024 * 1024


class Collection(ABC):
    """One kind of object in one API group, in all versions that the release serves."""

    group: str
    plural: str
    kind: str
    announced: Sequence[str] = ()

    def __init__(self, grafana: Grafana, versions: Sequence[str]) -> None:
        self._grafana = grafana
        self.versions = versions

    @abstractmethod
    def admit(self, draft: Draft, old: Resource | None, version: str, request: Request) -> Draft:
        """Check and complete what is to be stored; raises ApiError."""

    @abstractmethod
    def present(self, resource: Resource, version: str) -> dict[str, Any]:
        """The spec as this version shows it."""

    @abstractmethod
    def check_delete(self, resource: Resource) -> None:
        """Refuse to delete, with ApiError."""

    @abstractmethod
    def after_create(self, resource: Resource, *, wants_permissions: bool, actor: str) -> None:
        """What else a new object gets."""

    def may_read(self, identity: Identity, resource: Resource) -> bool:
        """Beside the permission to read such objects at all."""
        return True

    def routes(self) -> list[Route]:
        routes = []
        for version in self.versions:
            base = f"/apis/{self.group}/{version}/namespaces/default/{self.plural}"
            routes += [
                Route(base, self._list, methods=["GET"]),
                Route(base, self._create, methods=["POST"]),
                Route(base + "/{name}", self._get, methods=["GET"]),
                Route(base + "/{name}", self._put, methods=["PUT"]),
                Route(base + "/{name}", self._delete, methods=["DELETE"]),
            ]
        return routes

    def show(self, resource: Resource, version: str) -> dict[str, Any]:
        """The object as a client gets it."""
        annotations = {**resource.annotations, "grafana.app/createdBy": account(resource.created_by)}
        if resource.updated:
            annotations["grafana.app/updatedBy"] = account(resource.updated_by)
            annotations["grafana.app/updatedTimestamp"] = resource.updated
        if resource.folder:
            annotations[FOLDER] = resource.folder
        return {
            "kind": self.kind,
            "apiVersion": f"{self.group}/{version}",
            "metadata": {
                "name": resource.uid,
                "namespace": "default",
                "uid": resource.guid,
                "resourceVersion": str(resource.rv),
                "generation": resource.generation,
                "creationTimestamp": resource.created,
                "labels": {INTERNAL_ID: str(resource.internal_id)},
                "annotations": annotations,
            },
            "spec": self.present(resource, version),
            "status": {},
        }

    async def _create(self, request: Request) -> Response:
        identity = caller(request)
        self._need(identity, "create", request)
        version, body, meta = await self._object(request)
        if meta.get("resourceVersion"):
            raise ApiError(500, "resourceVersion should not be set on objects to be created")
        name = meta.get("name") or ""
        if not name and meta.get("generateName"):
            name = str(meta["generateName"]) + secrets.token_hex(5)
        if not isinstance(name, str) or not name:
            raise ApiError(400, "name or generateName is required")
        return self._store_new(request, identity, name, self._draft(name, body, meta, version, None), version)

    async def _put(self, request: Request) -> Response:
        identity = caller(request)
        self._need(identity, "write", request)
        version, body, meta = await self._object(request)
        name = request.path_params["name"]
        if meta.get("name", name) != name:
            wrong = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
            raise ApiError(400, wrong)
        old = self._grafana.store.get(self.plural, name)
        if old is None:
            if meta.get("resourceVersion"):
                raise ApiError(500, "resourceVersion should not be set on objects to be created")
            self._need(identity, "create", request)
            return self._store_new(request, identity, name, self._draft(name, body, meta, version, None), version)
        draft = self.admit(self._draft(name, body, meta, version, old), old, version, request)
        rv = meta.get("resourceVersion")
        if rv and rv != str(old.rv):
            raise self._conflict(name)
        try:
            new = self._grafana.store.replace(
                draft,
                identity.uid,
                rv=old.rv if rv else None,
                always=not self._grafana.release.saves_through_apis,
                dry_run=is_dry_run(request),
            )
        except ConflictError:
            raise self._conflict(name) from None
        return JSONResponse(self.show(new, version))

    def _store_new(
        self,
        request: Request,
        identity: Identity,
        name: str,
        draft: Draft,
        version: str,
    ) -> Response:
        draft = self.admit(draft, None, version, request)
        if draft.internal_id and self._grafana.store.by_id(self.plural, draft.internal_id):
            raise ApiError(409, f"deprecatedInternalID={draft.internal_id} is already in use")
        try:
            kept = {key: value for key, value in draft.annotations.items() if key != GRANT}
            stored = replace(draft, annotations=kept)
            new = self._grafana.store.create(stored, identity.uid, dry_run=is_dry_run(request))
        except ExistsError:
            message = f'{self.plural}.{self.group} "{name}" already exists'
            details = {"name": name, "group": self.group, "kind": self.plural}
            raise ApiError(409, message, reason="AlreadyExists", details=details) from None
        if not is_dry_run(request):
            self.after_create(new, wants_permissions=GRANT in draft.annotations, actor=identity.uid)
        return JSONResponse(self.show(new, version), 201)

    def _need(self, identity: Identity, verb: str, request: Request) -> None:
        """A dry run is not authorized: who may only read may do it too."""
        if not is_dry_run(request):
            identity.need(f"{self.plural}:{verb}")

    async def _get(self, request: Request) -> Response:
        caller(request).need(f"{self.plural}:read")
        resource = self.find(request.path_params["name"])
        if not self.may_read(caller(request), resource):
            raise forbidden([f"{self.plural}:read"])
        wanted = request.query_params.get("resourceVersion")
        if wanted:
            past = [entry for entry in self._grafana.store.history(resource) if str(entry.rv) == wanted]
            if not past:
                raise self.missing(resource.uid)
            resource = past[0]
        return JSONResponse(self.show(resource, self._version(request)))

    async def _list(self, request: Request) -> Response:
        caller(request).need(f"{self.plural}:read")
        version, query = self._version(request), request.query_params
        after = _continued(query.get("continue"))
        if query.get("labelSelector") == HISTORY:
            items, more = self._past(query.get("fieldSelector", "")), ""
        else:
            items, more = self._page(after, number(query.get("limit"), PAGE))
            items = [item for item in items if self.may_read(caller(request), item)]
        meta = {"resourceVersion": str(self._grafana.store.rv)} | ({"continue": more} if more else {})
        body = {
            "kind": f"{self.kind}List",
            "apiVersion": f"{self.group}/{version}",
            "metadata": meta,
            "items": [self.show(item, version) for item in items],
        }
        return JSONResponse(body)

    def _page(self, after: str, limit: int) -> tuple[list[Resource], str]:
        """At most `limit` objects and about two megabytes, and the token for the rest."""
        page: list[Resource] = []
        size = 0
        for resource in self._grafana.store.all_of(self.plural, after=after):
            if len(page) == limit or (page and size > PAGE_BYTES):
                token = json.dumps({"after": page[-1].uid, "rv": self._grafana.store.rv})
                return page, base64.urlsafe_b64encode(token.encode()).decode()
            page.append(resource)
            size += len(json.dumps(resource.spec))
        return page, ""

    def _past(self, selector: str) -> list[Resource]:
        key, _, name = selector.partition("=")
        if key != "metadata.name" or not name:
            raise ApiError(400, "fieldSelector metadata.name is required for history")
        return self._grafana.store.history(self.find(name))

    async def _delete(self, request: Request) -> Response:
        caller(request).need(f"{self.plural}:delete")
        resource = self.find(request.path_params["name"])
        self.check_delete(resource)
        if not is_dry_run(request):
            self._grafana.store.delete(self.plural, resource.uid)
        details = {"name": resource.uid, "group": self.group, "kind": self.plural, "uid": resource.guid}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return JSONResponse(body)

    async def _object(self, request: Request) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The version of the path, and the body with its metadata."""
        body = await read_json(request)
        version = self._version(request)
        expected = f"{self.group}/{version}"
        if body.get("apiVersion", expected) != expected:
            given = f"the API version in the data ({body['apiVersion']}) does not match the expected API version"
            raise ApiError(400, f"{given} ({expected})")
        meta, spec = body.get("metadata"), body.get("spec")
        if not isinstance(meta, dict) or not isinstance(spec, dict):
            raise ApiError(400, "the object has no metadata or no spec")
        return version, body, meta

    def _draft(
        self, name: str, body: Mapping[str, Any], meta: Mapping[str, Any], version: str, old: Resource | None
    ) -> Draft:
        given = {key: str(value) for key, value in (meta.get("annotations") or {}).items()}
        kept = {key: value for key, value in given.items() if key.startswith(KEPT)}
        before = old.annotations.get(MANAGER, "") if old else ""
        if kept.get(MANAGER) == FILE_MANAGER and before != FILE_MANAGER:
            raise ApiError(403, f"Can not set the {FILE_MANAGER} resource manager")
        if before == FILE_MANAGER and old:
            kept = {**{key: value for key, value in old.annotations.items() if key != MESSAGE}, **kept}
        elif before and MANAGER not in kept:
            raise ApiError(403, "Can not remove resource manager from resource")
        label = str((meta.get("labels") or {}).get(INTERNAL_ID, ""))
        return Draft(
            kind=self.plural,
            uid=name,
            spec=dict(body["spec"]),
            folder=given.get(FOLDER, ""),
            annotations=kept,
            api_version=version,
            internal_id=int(label) if label.isdigit() and old is None else 0,
        )

    def _version(self, request: Request) -> str:
        return request.url.path.split("/")[3]

    def find(self, name: str) -> Resource:
        resource = self._grafana.store.get(self.plural, name)
        if resource is None:
            raise self.missing(name)
        return resource

    def missing(self, name: str) -> ApiError:
        details = {"name": name, "group": self.group, "kind": self.plural}
        return ApiError(404, f'{self.plural}.{self.group} "{name}" not found', details=details)

    def _conflict(self, name: str) -> ApiError:
        text = "the object has been modified; please apply your changes to the latest version and try again"
        if self._grafana.release.rewired_save:
            text = "requested RV does not match current RV"
        message = f'Operation cannot be fulfilled on {self.plural}.{self.group} "{name}": {text}'
        return ApiError(409, message, details={"name": name, "group": self.group, "kind": self.plural})


def account(actor: str) -> str:
    """An actor as /apis tells it: a person by the uid, not by the login."""
    kind, _, name = actor.partition(":")
    return f"user:u{hashlib.sha256(name.encode()).hexdigest()[:12]}" if kind == "user" else actor


def is_dry_run(request: Request) -> bool:
    """With it Grafana leaves out the checks of folder, manager and quota."""
    return request.query_params.get("dryRun") == "All"


def _continued(token: str | None) -> str:
    if not token:
        return ""
    try:
        return str(json.loads(base64.urlsafe_b64decode(token))["after"])
    except (ValueError, KeyError, TypeError):
        raise ApiError(400, "continue key is not valid") from None


def discovery(collections: Sequence[Collection]) -> list[Route]:
    """GET /apis, /apis/GROUP and /apis/GROUP/VERSION, for the groups that the release has."""
    served = [collection for collection in collections if collection.versions]
    if not served:
        return []

    async def groups(_: Request) -> Response:
        body = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(entry) for entry in served]}
        return JSONResponse(body)

    async def one_group(request: Request) -> Response:
        entry = _served(served, request)
        return JSONResponse({"kind": "APIGroup", "apiVersion": "v1", **_group(entry)})

    async def resources(request: Request) -> Response:
        entry = _served(served, request)
        verbs = ["create", "delete", "get", "list", "update"]
        resource = {"name": entry.plural, "namespaced": True, "kind": entry.kind, "verbs": verbs}
        version = f"{entry.group}/{request.path_params['version']}"
        body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version}
        return JSONResponse({**body, "resources": [resource]})

    return [
        Route("/apis", groups),
        Route("/apis/{group}", one_group),
        Route("/apis/{group}/{version}", resources),
    ]


def _served(served: Sequence[Collection], request: Request) -> Collection:
    """The collection of a discovery path; its version, where the path has one, must be served too."""
    for entry in served:
        version = request.path_params.get("version", entry.versions[0])
        if entry.group == request.path_params["group"] and version in entry.versions:
            return entry
    raise ApiError(404, "the server could not find the requested resource")


def _group(entry: Collection) -> dict[str, Any]:
    names = (*entry.versions, *entry.announced)
    versions = [{"groupVersion": f"{entry.group}/{name}", "version": name} for name in names]
    return {"name": entry.group, "versions": versions, "preferredVersion": versions[0]}
