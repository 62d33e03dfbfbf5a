# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may see which dashboard: by its own permissions, or by those of its folder; admins see all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.lab.grafana.auth import PERMISSIONS, Identity, Role
from tests.lab.grafana.store import Draft, Resource, Store

DASHBOARD_PERMISSIONS, FOLDER_PERMISSIONS, USERS = "dashboard-permissions", "permissions", "users"
VIEW, EDIT, ADMIN = 1, 2, 4
DEFAULT: tuple[Mapping[str, Any], ...] = (
    {"role": "Viewer", "permission": VIEW},
    {"role": "Editor", "permission": EDIT},
)
EVERYTHING = {"dashboards": ["dashboards:*", "folders:*"], "folders": ["folders:*"], "datasources": ["datasources:*"]}


def own_entries(store: Store, dashboard: Resource) -> list[Mapping[str, Any]]:
    """By the object and not by its uid, so that they go with it."""
    stored = store.get(DASHBOARD_PERMISSIONS, dashboard.guid)
    return list(stored.spec["items"]) if stored else []


def set_entries(store: Store, dashboard: Resource, items: Iterable[Mapping[str, Any]], actor: str) -> None:
    draft = Draft(DASHBOARD_PERMISSIONS, dashboard.guid, {"items": list(items)})
    known = store.get(DASHBOARD_PERMISSIONS, dashboard.guid)
    (store.replace if known else store.create)(draft, actor)


def grant_defaults(store: Store, dashboard: Resource, actor: str) -> None:
    """What a new dashboard gets: at the root the roles, and everywhere its creator as admin."""
    user = store.get(USERS, actor.removeprefix("user:")) if actor.startswith("user:") else None
    creator = [{"userId": user.internal_id, "permission": ADMIN}] if user else []
    set_entries(store, dashboard, [*(() if dashboard.folder else DEFAULT), *creator], actor)


def folder_entries(store: Store, folder: str) -> list[Mapping[str, Any]]:
    stored = store.get(FOLDER_PERMISSIONS, folder)
    return list(stored.spec["items"]) if stored else list(DEFAULT)


def level(role: Role, entries: Iterable[Mapping[str, Any]]) -> int:
    """What these entries give a role. An editor has what a viewer has."""
    roles = {"Viewer": Role.VIEWER, "Editor": Role.EDITOR}
    granted = [entry["permission"] for entry in entries if roles.get(entry.get("role", ""), Role.ADMIN) <= role]
    return max(granted, default=0)


def may_read(store: Store, identity: Identity, dashboard: Resource) -> bool:
    if identity.role >= Role.ADMIN:
        return True
    entries = own_entries(store, dashboard)
    return level(identity.role, [*entries, *(folder_entries(store, dashboard.folder) if dashboard.folder else ())]) > 0


def scopes(store: Store, identity: Identity) -> dict[str, list[str]]:
    """Each action that the caller may do, with what it may be done to."""
    actions = [action for action, role in PERMISSIONS.items() if identity.role >= role]
    if identity.role >= Role.ADMIN:
        return {action: EVERYTHING.get(action.partition(":")[0], [""]) for action in actions}
    return {action: _scopes(store, identity.role, action) for action in actions}


def _scopes(store: Store, role: Role, action: str) -> list[str]:
    kind, _, verb = action.partition(":")
    if kind not in EVERYTHING or kind == "datasources":
        return EVERYTHING.get(kind, [""])
    least = VIEW if verb == "read" else EDIT
    folders = [
        f"folders:uid:{folder.uid}"
        for folder in store.all_of("folders")
        if level(role, folder_entries(store, folder.uid)) >= least
    ]
    if verb == "create":
        return ["folders:uid:general", *folders]
    if kind == "folders":
        return folders
    dashboards = store.all_of("dashboards")
    own = [item.uid for item in dashboards if level(role, own_entries(store, item)) >= least]
    return [*folders, *(f"dashboards:uid:{uid}" for uid in own)]
