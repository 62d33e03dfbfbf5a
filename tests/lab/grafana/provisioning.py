# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provisioning files: data sources at start and on reload, dashboards from folders, polled."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import access, dashboards, datasources, folders
from tests.lab.grafana.config import expand
from tests.lab.grafana.context import Grafana, caller, slug
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.k8s import FILE_MANAGER, MANAGER
from tests.lab.grafana.store import Draft, Resource

LOG = logging.getLogger("grafana_double")
ACTOR = "service:provisioning"
SOURCE_PATH = "grafana.app/sourcePath"
CHECKSUM = "grafana.app/sourceChecksum"
MANAGER_ID = "grafana.app/managerId"


class ProvisioningError(Exception):
    """A file that keeps Grafana from starting."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A folder of dashboard files."""

    name: str
    path: Path
    folder: str
    folder_uid: str
    from_structure: bool
    allow_edits: bool
    disable_deletion: bool
    interval: int


def expand_env(value: str, env: Mapping[str, str]) -> str:
    """$VAR and ${VAR}; what is not set is empty; $$ is a dollar."""

    def replace(match: re.Match[str]) -> str:
        return env.get(match[1] or match[2] or "", "")

    parts = [re.sub(r"\$(?:\{([^}]*)\}|(\w+))", replace, expand(part, env)) for part in value.split("$$")]
    return "$".join(parts)


def _expanded(value: Any, env: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expand_env(value, env)
    if isinstance(value, list):
        return [_expanded(item, env) for item in value]
    if isinstance(value, dict):
        return {key: _expanded(item, env) for key, item in value.items()}
    return value


class Provisioning:
    """Reads the files, and answers the reload calls."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana
        self._store = grafana.store
        self._providers: list[Provider] = []

    def routes(self) -> list[Route]:
        return [Route("/api/admin/provisioning/{kind}/reload", self._reload, methods=["POST"])]

    def start(self) -> None:
        """Once, before the first request; raises ProvisioningError as Grafana refuses to start."""
        self._datasources()
        self._read_providers()
        self.read_dashboards()

    async def poll(self) -> None:
        """Until cancelled: look for changed dashboard files."""
        while self._providers:
            await asyncio.sleep(min(provider.interval for provider in self._providers))
            self.read_dashboards()

    async def _reload(self, request: Request) -> Response:
        caller(request).need("provisioning:reload")
        kind = request.path_params["kind"]
        try:
            if kind == "datasources":
                self._datasources()
            elif kind == "dashboards":
                self._read_providers()
                self.read_dashboards()
            elif kind not in ("plugins", "alerting"):
                raise ApiError(404, "Not found")
        except ProvisioningError as error:
            LOG.error("%s", error)
            raise ApiError(500, "") from None
        return JSONResponse({"message": f"{kind.capitalize()} config reloaded"})

    def _files(self, kind: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        if self._grafana.config.provisioning is None:
            return
        folder = self._grafana.config.provisioning / kind
        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            try:
                content = yaml.safe_load(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
                raise ProvisioningError(f"{kind} provisioning error: {path.name}: {error}") from error
            if content is not None and not isinstance(content, dict):
                raise ProvisioningError(f"{kind} provisioning error: {path.name}: not a mapping")
            yield path, content or {}

    def _datasources(self) -> None:
        wanted: list[dict[str, Any]] = []
        for _, content in self._files("datasources"):
            for gone in content.get("deleteDatasources") or []:
                found = datasources.by_name(self._store, str(gone.get("name")))
                if found:
                    self._store.delete(datasources.KIND, found.uid)
            wanted += [_expanded(entry, self._grafana.config.env) for entry in content.get("datasources") or []]
        if sum(1 for entry in wanted if entry.get("isDefault")) > 1:
            wrong = "datasource.yaml config is invalid. Only one datasource per organization can be marked as default"
            raise ProvisioningError(f"Datasource provisioning error: {wrong}")
        for entry in wanted:
            self._put_datasource(entry)

    def _put_datasource(self, entry: dict[str, Any]) -> None:
        name = str(entry.get("name") or "")
        if not name or not entry.get("type"):
            raise ProvisioningError("Datasource provisioning error: a data source has no name or no type")
        known = datasources.by_name(self._store, name)
        uid = str(entry.get("uid") or (known.uid if known else "P" + hashlib.sha256(name.encode()).hexdigest()[:16]))
        if known and known.uid != uid:
            self._store.delete(datasources.KIND, known.uid)
        spec = datasources.complete(entry, {}, read_only=not entry.get("editable", False))
        datasources.put(self._store, uid, spec, ACTOR)
        LOG.info("provisioned data source %s (uid %s) at %s", name, uid, spec["url"])

    def _read_providers(self) -> None:
        self._providers = []
        for path, content in self._files("dashboards"):
            for entry in content.get("providers") or []:
                given = _expanded(entry, self._grafana.config.env)
                options = given.get("options") or {}
                from_structure = bool(options.get("foldersFromFilesStructure"))
                if from_structure and (given.get("folder") or given.get("folderUid")):
                    wrong = "'folder' and 'folderUID' should be empty using 'foldersFromFilesStructure' option"
                    raise ProvisioningError(f"Dashboard provisioning error: {path.name}: {wrong}")
                if given.get("type", "file") != "file" or not options.get("path"):
                    raise ProvisioningError(f"Dashboard provisioning error: {path.name}: no type file with a path")
                self._providers.append(
                    Provider(
                        name=str(given.get("name") or ""),
                        path=Path(str(options["path"])),
                        folder=str(given.get("folder") or ""),
                        folder_uid=str(given.get("folderUid") or ""),
                        from_structure=from_structure,
                        allow_edits=bool(given.get("allowUiUpdates")),
                        disable_deletion=bool(given.get("disableDeletion")),
                        interval=int(given.get("updateIntervalSeconds") or 10),
                    )
                )

    def read_dashboards(self) -> None:
        """Take every provider's files. A broken file is a line in the log, for Grafana too."""
        for provider in self._providers:
            found = dict(self._read(provider))
            uids = Counter(spec.get("uid") for spec, _ in found.values() if spec.get("uid"))
            if any(count > 1 for count in uids.values()):
                wrong = "dashboards provisioning provider has no database write permissions because of duplicates"
                LOG.warning("%s: %s", provider.name, wrong)
                continue
            stored = {item.annotations.get(SOURCE_PATH, ""): item for item in self._of(provider)}
            for path, (spec, checksum) in found.items():
                try:
                    self._take(provider, path, spec, checksum, stored.get(path))
                except ApiError as error:
                    LOG.error("failed to save dashboard %s: %s", path, error)
            if not provider.disable_deletion:
                for path in stored.keys() - found.keys():
                    self._store.delete(dashboards.KIND, stored[path].uid)

    def _of(self, provider: Provider) -> list[Resource]:
        items = self._store.all_of(dashboards.KIND)
        return [
            item
            for item in items
            if dashboards.is_provisioned(item) and item.annotations.get(MANAGER_ID) == provider.name
        ]

    def _read(self, provider: Provider) -> Iterator[tuple[str, tuple[dict[str, Any], str]]]:
        for path in sorted(provider.path.rglob("*.json")):
            # a ConfigMap's volume shows each file twice: once behind a hidden link
            if any(part.startswith("..") for part in path.relative_to(provider.path).parts):
                continue
            with suppress(FileNotFoundError):  # gone since it was listed
                content = path.read_bytes()
                try:
                    spec = json.loads(content)
                except ValueError as error:
                    LOG.error("failed to load dashboard from %s: %s", path, error)
                    continue
                if not isinstance(spec, dict) or dashboards.is_bare_v2(spec):
                    LOG.error("failed to load dashboard from %s: not a classic dashboard", path)
                    continue
                yield str(path), (spec, hashlib.sha256(content).hexdigest())

    def _take(self, provider: Provider, path: str, spec: dict[str, Any], checksum: str, old: Resource | None) -> None:
        if old and old.annotations.get(CHECKSUM) == checksum:
            return
        uid = str(spec.get("uid") or (old.uid if old else "a" + secrets.token_hex(6)))
        if old and old.uid != uid:
            raise ApiError(400, f"the file has another uid than before: {uid}")
        stored = dashboards.clean(spec)
        dashboards.check(self._grafana, uid, stored, "")
        notes = {
            MANAGER: FILE_MANAGER,
            MANAGER_ID: provider.name,
            dashboards.ALLOWS_EDITS: "true" if provider.allow_edits else "false",
            SOURCE_PATH: path,
            CHECKSUM: checksum,
        }
        draft = Draft(dashboards.KIND, uid, stored, self._folder(provider, Path(path)), notes, "v0alpha1")
        if self._store.get(dashboards.KIND, uid):
            self._store.replace(draft, ACTOR)
        else:
            access.grant_defaults(self._store, self._store.create(draft, ACTOR), ACTOR)

    def _folder(self, provider: Provider, path: Path) -> str:
        title = provider.folder
        if provider.from_structure:
            parent = path.parent
            title = "" if parent == provider.path else parent.name
        if not title:
            return ""
        for folder in self._store.all_of(folders.KIND):
            if folder.uid == provider.folder_uid or (folder.spec["title"] == title and not folder.folder):
                return folder.uid
        uid = provider.folder_uid or slug(title)[:30] + "-" + secrets.token_hex(3)
        return self._store.create(Draft(folders.KIND, uid, {"title": title}), ACTOR).uid
