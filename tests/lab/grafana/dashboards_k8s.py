# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards under /apis/dashboard.grafana.app."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import access, dashboards, schema
from tests.lab.grafana.auth import Identity
from tests.lab.grafana.context import Grafana, caller
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.k8s import MESSAGE, Collection, is_dry_run
from tests.lab.grafana.store import Draft, Resource


class Dashboards(Collection):
    """v0alpha1 stores what it gets; v1beta1 and v1 store and show the migrated spec."""

    group = "dashboard.grafana.app"
    plural = dashboards.KIND
    kind = "Dashboard"

    def __init__(self, grafana: Grafana) -> None:
        super().__init__(grafana, grafana.release.dashboard_versions)
        self.announced = grafana.release.announced_versions

    def after_create(self, resource: Resource, *, wants_permissions: bool, actor: str) -> None:
        if wants_permissions and not resource.folder:
            access.grant_defaults(self._grafana.store, resource, actor)

    def may_read(self, identity: Identity, resource: Resource) -> bool:
        return access.may_read(self._grafana.store, identity, resource)

    def routes(self) -> list[Route]:
        dto = [
            Route(f"/apis/{self.group}/{version}/namespaces/default/{self.plural}/{{name}}/dto", self._dto)
            for version in self.versions
        ]
        return dto + super().routes()

    async def _dto(self, request: Request) -> Response:
        caller(request).need("dashboards:read")
        resource = self.find(request.path_params["name"])
        shown = self.show(resource, self._version(request))
        shown["kind"] = "DashboardWithAccessInfo"
        writes = not dashboards.is_locked(resource)
        shown["access"] = {"canSave": writes, "canEdit": writes, "canDelete": writes, "canAdmin": writes}
        return JSONResponse(shown)

    def admit(self, draft: Draft, old: Resource | None, version: str, request: Request) -> Draft:
        internal_id = draft.spec.get("id")
        lift = old is None and isinstance(internal_id, int) and not isinstance(internal_id, bool) and internal_id > 0
        spec = dashboards.clean(draft.spec)
        if version != "v0alpha1":
            strict = request.query_params.get("fieldValidation", "Strict") == "Strict"
            spec = self._migrated(draft.uid, spec, strict=strict)
        dashboards.check(self._grafana, draft.uid, spec, draft.annotations.get(MESSAGE, ""))
        if draft.folder and not is_dry_run(request) and self._grafana.store.get("folders", draft.folder) is None:
            message = f'folders.folder.grafana.app "{draft.folder}" not found'
            details = {"name": draft.folder, "group": "folder.grafana.app", "kind": "folders"}
            raise ApiError(404, message, details=details)
        return replace(draft, spec=spec, internal_id=int(internal_id or 0) if lift else draft.internal_id)

    def present(self, resource: Resource, version: str) -> dict[str, Any]:
        if version == "v0alpha1":
            return resource.spec
        try:
            return self.migrate(resource.spec)
        except schema.MigrationError:
            return resource.spec

    def show(self, resource: Resource, version: str) -> dict[str, Any]:
        """With the note that the shown spec is not valid, where its migration fails."""
        shown = super().show(resource, version)
        if version != "v0alpha1":
            try:
                self.migrate(resource.spec)
            except schema.MigrationError as error:
                stored = resource.api_version or "v0alpha1"
                shown["status"] = {"conversion": {"failed": True, "error": str(error), "storedVersion": stored}}
        return shown

    def check_delete(self, resource: Resource) -> None:
        if dashboards.is_provisioned(resource):
            raise ApiError(400, "provisioned dashboard cannot be deleted")

    def migrate(self, spec: dict[str, Any]) -> dict[str, Any]:
        return schema.migrate(spec, self._grafana.release.schema_version, self._data_source)

    def _migrated(self, uid: str, spec: dict[str, Any], *, strict: bool) -> dict[str, Any]:
        """Migrated and checked; Ignore and Warn take what fails as it is."""
        causes = []
        try:
            spec = self.migrate(spec)
        except schema.MigrationError as error:
            causes.append({"reason": "FieldValueInvalid", "message": str(error), "field": "spec.schemaVersion"})
        causes += schema.check(spec)
        # An empty or missing title has a message of its own.
        causes = [cause for cause in causes if cause["message"] != "Required value"]
        if causes and strict:
            problems = ", ".join(f"{cause['field']}: {cause['message']}" for cause in causes)
            message = f'Dashboard.{self.group} "{uid}" is invalid: {problems}'
            details = {"name": uid, "group": self.group, "kind": self.kind, "causes": causes}
            raise ApiError(422, message, details=details)
        return spec

    def _data_source(self, name: str) -> tuple[str, str]:
        for source in self._grafana.store.all_of("datasources"):
            if name in (source.uid, source.spec["name"]):
                return source.uid, str(source.spec["type"])
        return name, ""
