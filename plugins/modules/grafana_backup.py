#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a Grafana holds into one dated file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_backup
short_description: Write what a Grafana holds into one dated file
description:
  - Reads all folders, data sources, alert contact points and dashboards, and writes them as JSON files into
    C(grafana-backup-DATE.tar.gz) with the SHA-256 of each.
  - The file appears when it is complete. When anything cannot be read, or the run is interrupted, there is none.
  - Secrets are not in it. Grafana does not give out most of them; passwords and keys in URLs and in settings that
    Grafana shows are left out. RV(secrets) names those that a restore will need.
  - Nothing is written when the newest archive in O(dest) holds the same already.
  - An account that may not see all folders, dashboards and data sources is refused, since Grafana would leave those out
    silently. It needs the role Admin.
  - Alert rules, notification policies, permissions, users and teams are not part of it.
options:
  dest:
    description: Existing directory for the archives, on the machine where the module runs. The files get mode 0600.
    type: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff lists checksums of the content of the objects in the newest archive and in Grafana.
  idempotent:
    support: full
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - urllib3 >= 2
seealso:
  - module: ias.observability.grafana_restore
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.grafana
  - ias.observability._attributes
"""

EXAMPLES = r"""
- name: Back up the platform's Grafana
  ias.observability.grafana_backup:
    grafana:
      username: "{{ grafana_user }}"
      password: "{{ grafana_password }}"
    dest: /var/backups/grafana
  register: backup

- name: Back up another Grafana
  ias.observability.grafana_backup:
    grafana:
      url: https://grafana.example.org
      token: "{{ grafana_admin_token }}"
    dest: /var/backups/grafana
"""

RETURN = r"""
path:
  description: The archive, new or the newest that holds the same. In check mode the one that would be written.
  type: str
  returned: always
  sample: /var/backups/grafana/grafana-backup-2026-11-25T010203Z.tar.gz
sha256:
  description: Checksum of the archive.
  type: str
  returned: when the archive exists
counts:
  description: How many objects it holds.
  type: dict
  returned: when Grafana could be read
  sample: {folders: 3, datasources: 4, contact_points: 2, dashboards: 120}
secrets:
  description: Names of the secrets that are not in it, by data source and contact point.
  type: dict
  returned: when Grafana could be read
  sample: {datasources: {loki: [basicAuthPassword]}, contact_points: {}}
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: backup/unreadable, severity: warning, object: grafana-backup-2026-11-24T010203Z.tar.gz}
"""

import datetime
from pathlib import Path
from typing import Any

from ..module_utils._ending import end
from ..module_utils._findings import Finding, failed
from ..module_utils._grafana.archive import Backup, checksum, name_of, newest, pack, unpack, write_new
from ..module_utils._grafana.backup import changes, check_access, collect, secrets_left_out
from ..module_utils._http import HttpError
from ..module_utils._kube import KubeError
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service
from ..module_utils._tar import ArchiveError
from ..module_utils._verify.unreachable import unreachable


def main() -> None:
    module = kube_module(arguments(grafana=GRAFANA, dest={"type": "path", "required": True}), supports_check_mode=True)
    dest = Path(module.params["dest"])
    if not dest.is_dir():
        module.fail_json(msg=f"dest {dest} is not a directory: make it first, or correct dest")
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    path = dest / name_of(created)
    result: dict[str, Any] = {}
    try:
        with open_service(module.params, "grafana") as api:
            findings = check_access(api)
            if not failed(findings):
                backup = collect(api, created)
                result, unreadable = keep(backup, path, write=not module.check_mode, with_diff=module._diff)
                findings += unreadable
    except (HttpError, KubeError) as error:
        findings = [unreachable(error)]
    except ArchiveError as error:
        hint = "Remove what is not needed from Grafana, or back up its database"
        findings = [Finding("backup/not-written", "error", str(error), hint, file=str(path))]
    except OSError as error:
        findings = [Finding("backup/not-written", "error", str(error.strerror), "Correct dest", file=str(path))]
    end(module, "There is no new backup", findings, **{"path": str(path), **result})


def keep(backup: Backup, path: Path, *, write: bool, with_diff: bool) -> tuple[dict[str, Any], list[Finding]]:
    """Write the archive unless the newest one holds the same."""
    before, findings = read_newest(path.parent)
    result: dict[str, Any] = {"counts": backup.counts, "secrets": secrets_left_out(backup)}
    old = newest(path.parent)
    if old is not None and before is not None and before.sums == backup.sums:
        unchanged = {**result, "changed": False, "path": str(old), "sha256": checksum(old.read_bytes())}
        return {**unchanged, **({"diff": changes(before.sums, backup.sums)} if with_diff else {})}, findings
    content = pack(backup)
    if write:
        write_new(path, content)
        result["sha256"] = checksum(content)
    if with_diff:
        result["diff"] = changes(before.sums if before else {}, backup.sums)
    return {**result, "changed": True}, findings


def read_newest(folder: Path) -> tuple[Backup | None, list[Finding]]:
    """The newest archive, and a warning where it could not be restored."""
    path = newest(folder)
    if path is None:
        return None, []
    try:
        return unpack(path), []
    except ArchiveError as error:
        hint = "Remove it; a new one is written"
        return None, [Finding("backup/unreadable", "warning", f"the newest archive: {error}", hint, object=path.name)]


if __name__ == "__main__":
    main()
