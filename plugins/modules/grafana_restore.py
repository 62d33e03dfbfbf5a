#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put what an archive of grafana_backup holds into a Grafana."""

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_restore
short_description: Put what an archive of grafana_backup holds into a Grafana
description:
  - Checks the archive, reads Grafana, and writes the folders, data sources, contact points and dashboards that are
    missing or differ. Then everything that was written is read back and compared.
  - What is in Grafana and not in the archive is left alone.
  - An archive that is cut off, changed, hostile or not of M(ias.observability.grafana_backup) is refused before
    Grafana is asked. It is never unpacked to disk.
  - When Grafana fails in the middle, the result says of each object whether it was written, and a further run does the
    rest.
options:
  src:
    description: Archive of M(ias.observability.grafana_backup), on the machine where the module runs.
    type: path
    required: true
  existing:
    description: What to do with an object that exists and differs from the archive.
    type: str
    choices:
      fail: Write nothing at all, and name these objects, and for dashboards who wrote them last and when.
      keep: Leave them alone.
      overwrite:
        - Make them what the archive says. Those that come from a file in Grafana's pod or that another program manages
          are left alone with a warning.
    default: fail
  secrets:
    description:
      - Secrets of data sources and contact points, which no archive holds. They are set where the object is written.
      - Without them a data source is created without, and a contact point as far as Grafana takes it.
    type: dict
    default: {}
    suboptions:
      datasources:
        description:
          - By uid of the data source, its C(secureJsonData), C(url) where that holds a password or a key, and
            C(jsonData.NAME) where an option does.
        type: dict
        default: {}
      contact_points:
        description:
          - By uid of the contact point, its secret settings, and the others that hold a password or a key. One that is
            inside of another is named with a dot, as RV(ias.observability.grafana_backup#module:secrets) does.
        type: dict
        default: {}
attributes:
  check_mode:
    support: full
    details:
      - With Grafana 12 and later the server checks dashboards too, without storing them.
      - Permissions that the account lacks are errors, as far as Grafana says what it may do.
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - urllib3 >= 2
seealso:
  - module: ias.observability.grafana_backup
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.grafana
  - ias.observability._attributes
"""

EXAMPLES = r"""
- name: Restore into a new Grafana
  ias.observability.grafana_restore:
    grafana:
      username: "{{ grafana_user }}"
      password: "{{ grafana_password }}"
    src: /var/backups/grafana/grafana-backup-2026-11-25T010203Z.tar.gz
    secrets:
      datasources:
        loki: {basicAuthPassword: "{{ loki_password }}"}

- name: Show what differs from the last backup
  ias.observability.grafana_restore:
    grafana:
      url: https://grafana.example.org
      token: "{{ grafana_admin_token }}"
    src: "{{ backup.path }}"
    existing: overwrite
  check_mode: true
  diff: true
"""

RETURN = r"""
objects:
  description: Each object of the archive, what it needed, and how that ended.
  type: list
  elements: dict
  returned: always
  contains:
    kind:
      description: V(folders), V(datasources), V(contact-points) or V(dashboards).
      type: str
    key:
      description: Its uid.
      type: str
    title:
      description: Its title or name.
      type: str
    action:
      description: V(create), V(update), V(keep) or V(unchanged).
      type: str
    state:
      description:
        - V(written), V(not needed), V(not written), V(partly written) when a folder was renamed and not moved, or
          V(unknown) when Grafana did not answer any more.
      type: str
archive:
  description: The archive's date, and the Grafana that it comes from.
  type: dict
  returned: when the archive is good
  sample: {format: 1, created: "2026-11-25T01:02:03+00:00", grafana: 13.2.0}
summary:
  description: How many objects were checked, and how many are now as the archive says or were to be left alone.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: restore/exists, severity: error, object: dashboards/gpu (GPU), message: it differs from the archive}
"""

from pathlib import Path
from typing import Any

from ..module_utils._ending import end
from ..module_utils._findings import Finding
from ..module_utils._grafana.access import read_access
from ..module_utils._grafana.archive import Backup, unpack
from ..module_utils._grafana.resources import open_resources
from ..module_utils._grafana.restore import WRITES, Restore, Restored, diff
from ..module_utils._grafana.store import open_store
from ..module_utils._http import HttpError
from ..module_utils._kube import KubeError
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service
from ..module_utils._tar import ArchiveError
from ..module_utils._verify.unreachable import unreachable

SECRETS = {
    "type": "dict",
    "default": {},
    "apply_defaults": True,
    "no_log": False,  # what is in it
    "options": {
        "datasources": {"type": "dict", "default": {}, "no_log": True},
        "contact_points": {"type": "dict", "default": {}, "no_log": True},
    },
}


def main() -> None:
    module = kube_module(
        arguments(
            grafana=GRAFANA,
            src={"type": "path", "required": True},
            existing={"type": "str", "choices": ["fail", "keep", "overwrite"], "default": "fail"},
            secrets=SECRETS,
        ),
        supports_check_mode=True,
    )
    params = module.params
    src = Path(params["src"])
    for kind, objects in params["secrets"].items():
        if not all(isinstance(names, dict) for names in objects.values()):
            module.fail_json(msg=f"secrets.{kind} must map each uid to a dictionary of its secrets")
    try:
        backup = unpack(src)
    except ArchiveError as error:
        module.fail_json(
            msg=f"{src} is not restored: {error}; take another archive of grafana_backup",
            **result([], with_diff=False),
            findings=[],
        )
    results: list[Restored] = []
    try:
        with open_service(params, "grafana") as api:
            results, findings = restore(api, backup, params, dry_run=module.check_mode)
    except (HttpError, KubeError) as error:
        findings = [unreachable(error)]
    archive = backup.manifest
    end(
        module,
        "Not everything is as the archive says",
        findings,
        archive=archive,
        **result(results, with_diff=module._diff),
    )


def restore(api: Any, backup: Backup, params: dict[str, Any], *, dry_run: bool) -> tuple[list[Restored], list[Finding]]:
    secrets = params["secrets"]
    kinds = open_resources(
        api,
        open_store(api),
        sources=secrets["datasources"],
        points=secrets["contact_points"],
        message=f"Restored from {Path(params['src']).name}",
    )
    access = read_access(api) if dry_run else None
    return Restore(kinds, params["existing"], dry_run, access).run(backup)


def result(results: list[Restored], *, with_diff: bool) -> dict[str, Any]:
    return {
        "changed": any(restored.state in {"written", "partly written"} for restored in results),
        "objects": [
            {
                "kind": restored.resource.kind,
                "key": restored.resource.key,
                "title": restored.resource.title,
                "action": restored.action,
                "state": restored.state,
            }
            for restored in results
        ],
        "summary": {
            "checked": len(results),
            "passed": sum(restored.action not in WRITES or restored.state == "written" for restored in results),
        },
        **({"diff": diff(results)} if with_diff else {}),
    }


if __name__ == "__main__":
    main()
