# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of a Grafana that a backup holds, read at once."""

from __future__ import annotations

from collections.abc import Mapping

from .._findings import Finding
from .._http import Api
from .access import read_access
from .archive import FORMAT, Backup
from .client import parse
from .resources import needed_secrets, open_resources, read_resource
from .store import open_store


def collect(api: Api, created: str) -> Backup:
    """Read all; whatever cannot be read is an HttpError, since a part is no backup. ``created`` is in ISO 8601."""
    path = "/api/health"
    version = parse(path, lambda health: str(health.get("version", "")), api.get(path))
    read = {
        resources.kind: {key: item.body for key, item in resources.read().items()}
        for resources in open_resources(api, open_store(api), sources={}, points={}, message="")
    }
    backup = Backup(read, {})
    manifest = {"format": FORMAT, "created": created, "grafana": version, "counts": backup.counts}
    return Backup(read, manifest)


def check_access(api: Api) -> list[Finding]:
    """An error for each kind of which this account does not see everything: its lists would leave that out silently."""
    access = read_access(api)
    if access is None:
        message = "Grafana does not say what this account may see, so objects that it may not see are missing unnoticed"
        return [Finding("backup/not-checked", "warning", message, "Use an account with the role Admin")]
    return access.blind_spots()


def secrets_left_out(backup: Backup) -> dict[str, dict[str, list[str]]]:
    """What a restore into an empty Grafana will need besides, in the shape of its option."""
    return {
        kind.replace("-", "_"): {
            key: names
            for key, body in backup.objects[kind].items()
            if (names := needed_secrets(read_resource(kind, body)))
        }
        for kind in ("datasources", "contact-points")
    }


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Two lists of checksums as a diff."""
    return {
        side: "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
        for side, sums in (("before", before), ("after", after))
    }
