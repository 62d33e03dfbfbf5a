# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what with one dashboard, beside what its folder grants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._findings import Finding
from .._grafana_model.model import Json
from .._http import Api, HttpError
from .client import parse, segment

LEVELS = {"view": 1, "edit": 2, "admin": 4}
KINDS = ("role", "team", "user")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One entry of a dashboard's own list. ``kind`` is one of KINDS."""

    kind: str
    name: str
    level: int

    def __str__(self) -> str:
        word = next((name for name, level in LEVELS.items() if level == self.level), str(self.level))
        return f"{self.kind} {self.name}: {word}"


@dataclass(frozen=True, slots=True)
class Granted:
    """How the list of one dashboard ended: written, not needed, not written or unknown."""

    uid: str
    state: str
    before: frozenset[Grant] = frozenset()


Grants = Mapping[str, frozenset[Grant]]


def read_option(entries: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[Grant]]:
    """The module's option by dashboard."""
    desired: dict[str, set[Grant]] = {}
    for entry in entries:
        kind = next(kind for kind in KINDS if entry[kind])
        grant = Grant(kind, entry[kind], LEVELS[entry["permission"]])
        desired.setdefault(entry["dashboard"], set()).add(grant)
    return {uid: frozenset(grants) for uid, grants in desired.items()}


def read_teams(answer: Any) -> dict[str, int]:
    return {team["name"]: int(team["id"]) for team in answer["teams"]}


def read_users(answer: Any) -> dict[str, int]:
    return {user["login"]: int(user["userId"]) for user in answer}


def read_list(entries: Iterable[Mapping[str, Any]]) -> frozenset[Grant]:
    """Grafana's list, without what comes from the folder."""
    return frozenset(_read_entry(entry) for entry in entries if not entry.get("inherited"))


def _read_entry(entry: Mapping[str, Any]) -> Grant:
    if entry.get("role"):
        return Grant("role", entry["role"], entry["permission"])
    if entry.get("team"):
        return Grant("team", entry["team"], entry["permission"])
    return Grant("user", entry.get("userLogin", ""), entry["permission"])


@dataclass
class Permissions:
    """One run: plan first, then apply to the dashboards that are there."""

    api: Api
    desired: Grants
    dry_run: bool
    _ids: dict[tuple[str, str], int] = field(default_factory=dict)
    _before: dict[str, frozenset[Grant]] = field(default_factory=dict)

    def plan(self, known: Collection[str], observed: Collection[str]) -> list[Finding]:
        """Read what there is, and object to dashboards, teams and users that do not exist."""
        findings = [_unknown("dashboard", uid, "name a dashboard of src") for uid in self.desired if uid not in known]
        grants = {grant for uid in self.desired for grant in self.desired[uid]}
        for kind in ("team", "user"):
            names = {grant.name for grant in grants if grant.kind == kind}
            if names:
                self._ids |= {(kind, name): number for name, number in self._list(kind).items()}
                findings += [
                    _unknown(kind, name, "create it first") for name in sorted(names) if (kind, name) not in self._ids
                ]
        if not findings:
            present = [uid for uid in self.desired if uid in observed]
            self._before = {uid: parse(_path(uid), read_list, self.api.get(_path(uid))) for uid in present}
        return findings

    def _list(self, kind: str) -> dict[str, int]:
        if kind == "team":
            path = "/api/teams/search"
            return parse(path, read_teams, self.api.get(path, {"perpage": "1000"}))
        path = "/api/org/users"
        return parse(path, read_users, self.api.get(path))

    def apply(self, present: Collection[str]) -> tuple[list[Granted], list[Finding]]:
        done: list[Granted] = []
        findings: list[Finding] = []
        for uid, desired in self.desired.items():
            before = self._before.get(uid)
            state, error = self._apply(uid, desired, before, present)
            done.append(Granted(uid, state, before or frozenset()))
            if error:
                hint = "Run again: what is written already stays"
                what = f"permissions/{state.replace(' ', '-')}"
                findings.append(Finding(what, "error", f"its permissions: {state}: {error}", hint, object=uid))
        return done, findings

    def _apply(
        self, uid: str, desired: frozenset[Grant], before: frozenset[Grant] | None, present: Collection[str]
    ) -> tuple[str, str]:
        if uid not in present:
            return "not written", "the dashboard was not written"
        if desired == before:
            return "not needed", ""
        if self.dry_run:
            return "written", ""
        try:
            # The whole list is set, so a repetition does no harm.
            self.api.request("POST", _path(uid), None, {"items": self._items(desired)}, repeatable=True)
        except HttpError as error:
            return self._state_after(uid, desired, error)
        return "written", ""

    def _state_after(self, uid: str, desired: frozenset[Grant], error: HttpError) -> tuple[str, str]:
        """After a refusal nothing was written; after anything else only another look can tell."""
        if error.is_refusal:
            return "not written", str(error)
        try:
            written = parse(_path(uid), read_list, self.api.get(_path(uid))) == desired
        except HttpError:
            return "unknown", str(error)
        return ("written", "") if written else ("not written", str(error))

    def _items(self, grants: Iterable[Grant]) -> list[Json]:
        """As Grafana takes them: teams and users by their number."""
        return [
            {
                **(
                    {"role": grant.name}
                    if grant.kind == "role"
                    else {f"{grant.kind}Id": self._ids[grant.kind, grant.name]}
                ),
                "permission": grant.level,
            }
            for grant in sorted(grants)
        ]


def _path(uid: str) -> str:
    return f"/api/dashboards/uid/{segment(uid)}/permissions"


def _unknown(kind: str, name: str, hint: str) -> Finding:
    return Finding("permissions/missing", "error", f"{kind} {name} does not exist", f"Correct permissions, or {hint}")


def pretty(grants: Iterable[Grant]) -> str:
    return "".join(f"{grant}\n" for grant in sorted(grants))
