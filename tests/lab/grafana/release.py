# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Grafana the double plays, and everything that depends on it: no other file compares versions."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A Grafana version. Its strings are not plain semver (13.0.1+security-01, 13.1.0-pre)."""

    text: str
    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Release:
        match = re.match(r"(\d+)\.(\d+)", text)
        if match is None:
            raise ValueError(f"GRAFANA_DOUBLE_VERSION {text!r} is not a version such as 13.2.0")
        return cls(text, int(match[1]), int(match[2]))

    def _from(self, major: int, minor: int = 0) -> bool:
        return (self.major, self.minor) >= (major, minor)

    @property
    def dashboard_versions(self) -> tuple[str, ...]:
        """Versions of dashboard.grafana.app. The double leaves out v2*: it knows classic dashboards only."""
        if not self._from(12):
            return ()
        return ("v1", "v1beta1", "v0alpha1") if self._from(13) else ("v1beta1", "v0alpha1")

    @property
    def announced_versions(self) -> tuple[str, ...]:
        """Versions that discovery names and that the double does not serve."""
        return ("v2beta1", "v2alpha1") if self._from(12, 4) else ()

    @property
    def folder_versions(self) -> tuple[str, ...]:
        if not self._from(12):
            return ()
        return ("v1", "v1beta1") if self._from(13) else ("v1beta1",)

    @property
    def saves_through_apis(self) -> bool:
        """The legacy save became a client of /apis: random ids, no new version for a save without a change."""
        return self._from(12, 4)

    @property
    def knows_resources(self) -> bool:
        """The legacy save looks for wrapped resources and for V2 dashboards."""
        return self._from(12, 4)

    @property
    def refuses_short_refresh(self) -> bool:
        """Through /apis; the older save raises it to the minimum until it is rewired."""
        return self._from(12, 4)

    @property
    def unified_folders(self) -> bool:
        """Folders are kept as resources: some refusals became 500 or other texts, and an unknown parent is taken."""
        return self._from(12, 4)

    @property
    def lists_inherited_permissions(self) -> bool:
        return not self._from(12, 4)

    @property
    def shows_default_point(self) -> bool:
        """The contact point that a new Grafana has, which has no uid."""
        return not self._from(12, 4)

    @property
    def rewired_save(self) -> bool:
        """The save whose conflicts are 409 with other texts. 13.1 or 13.2 is not established; we say 13.2."""
        return self._from(13, 2)

    @property
    def nests_folders(self) -> bool:
        """Folders in folders; before, parentUid is not read."""
        return self._from(11)

    @property
    def unique_titles(self) -> bool:
        """No two dashboards in a folder, and no two folders, with one title."""
        return not self._from(11)

    @property
    def schema_version(self) -> int:
        """What a write through v1beta1 or v1 migrates to."""
        return 42 if self._from(13) else 41

    @property
    def lists_versions_bare(self) -> bool:
        """The versions of a dashboard came as an array before there were continue tokens."""
        return not self._from(12)

    @property
    def folder_uid_conflict(self) -> int:
        """Status of POST /api/folders with a uid that exists."""
        if self._from(13, 2):
            return 409
        return 412 if self._from(12) else 409
