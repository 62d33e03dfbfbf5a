# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account may do in Grafana. It is asked: a dry run checks no permission, and a list leaves out silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from .._findings import Finding
from .._http import Api, HttpError
from .client import parse
from .folders import Folder

PERMISSIONS = "/api/access-control/user/permissions"
GENERAL = "folders:uid:general"  # what Grafana calls the root
WHOLE = {
    "folders:read": ("folders:uid:*",),
    "dashboards:read": ("dashboards:uid:*", "folders:uid:*"),
    "datasources:read": ("datasources:uid:*",),
}
FIRST_SCOPES = 5


@dataclass(frozen=True, slots=True)
class Permission:
    """One of ``actions`` on one of ``scopes``; without scopes on whatever it is granted on."""

    actions: tuple[str, ...]
    scopes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " or ".join(self.actions) + (f" on {self.scopes[0]}" if self.scopes else "")


@dataclass(frozen=True, slots=True)
class Access:
    """The scopes on which each action is granted."""

    scopes: Mapping[str, Collection[str]]

    def allows(self, permission: Permission) -> bool:
        granted = [scope for action in permission.actions for scope in self.scopes.get(action, ())]
        if not permission.scopes:
            return bool(granted)
        return any(covers(scope, target) for scope in granted for target in permission.scopes)

    def refusal(self, permissions: Iterable[Permission]) -> str:
        """What is missing for a write, empty where nothing is."""
        missing = [str(permission) for permission in permissions if not self.allows(permission)]
        return f"this account lacks the permission {' and '.join(missing)}" if missing else ""

    def blind_spots(self) -> list[Finding]:
        """What a list may leave out, since the account does not see all of it."""
        return [
            Finding(
                "backup/partial",
                "error",
                f"this account may not see all {action.partition(':')[0]}: it has {action} on {self._shown(action)}",
                "Use an account with the role Admin",
                object=action.partition(":")[0],
            )
            for action, scopes in WHOLE.items()
            if not self.allows(Permission((action,), scopes))
        ]

    def _shown(self, action: str) -> str:
        scopes = sorted(self.scopes.get(action, ()))
        more = f" and {len(scopes) - FIRST_SCOPES} more" if len(scopes) > FIRST_SCOPES else ""
        return (", ".join(scopes[:FIRST_SCOPES]) or "nothing") + more


def covers(granted: str, scope: str) -> bool:
    """Whether a scope such as folders:* or folders:uid:x includes another. An empty one has no limit."""
    if granted in {"", "*"} or granted == scope:
        return True
    return granted.endswith(":*") and scope.startswith(granted[:-1])


def read_access(api: Api) -> Access | None:
    """None where this Grafana, or what stands before it, does not say."""
    try:
        return Access(parse(PERMISSIONS, read_scopes, api.get(PERMISSIONS)))
    except HttpError as error:
        if error.status in {0, 401, 429} or error.status >= 500:
            raise
        return None


def read_scopes(answer: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    return {action: frozenset(map(str, scopes or [""])) for action, scopes in answer.items()}


@dataclass(frozen=True, slots=True)
class FolderTree:
    """The parent of each folder by uid; the root's uid is empty. ``planned`` are those that this run is to make."""

    existing: Mapping[str, str]
    planned: Mapping[str, str] = field(default_factory=dict)

    def scopes(self, uid: str) -> tuple[str, ...]:
        """What reaches a folder: its own scope and those of the folders above it."""
        scopes: list[str] = []
        while uid and f"folders:uid:{uid}" not in scopes:
            scopes.append(f"folders:uid:{uid}")
            uid = self.existing.get(uid, "")
        return tuple(scopes) or (GENERAL,)

    def creation(self, action: str, folder: str) -> Permission:
        """To create something in a folder; who may make a folder may fill it."""
        seen: set[str] = set()
        while folder and folder not in self.existing and folder in self.planned and folder not in seen:
            seen.add(folder)
            folder, action = self.planned[folder], "folders:create"
        return Permission((action,), self.scopes(folder))


def tree(existing: Iterable[Folder], planned: Iterable[Folder]) -> FolderTree:
    return FolderTree(
        {folder.uid: folder.parent for folder in existing}, {folder.uid: folder.parent for folder in planned}
    )


def dashboard_permissions(uid: str, now: str | None, then: str | None, folders: FolderTree) -> list[Permission]:
    """What it takes to bring a dashboard from one folder (None: it is not there) to another (None: it is deleted)."""
    permissions: list[Permission] = []
    if now is not None:
        action = "dashboards:delete" if then is None else "dashboards:write"
        permissions.append(Permission((action,), (f"dashboards:uid:{uid}", *folders.scopes(now))))
    if then is not None and then != now:
        permissions.append(folders.creation("dashboards:create", then))
    return permissions
