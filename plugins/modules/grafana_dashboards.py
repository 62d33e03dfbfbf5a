#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the dashboards of a Grafana folder what the files say."""

from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_dashboards
short_description: Make the dashboards of a Grafana folder what the files say
description:
  - Reads everything once, plans, and then writes only what differs, several dashboards at a time over kept connections.
    Where nothing differs nothing is written, and the history of a dashboard stays short.
  - Works through C(/apis) (Grafana 12 and later) with optimistic locking, else through C(/api).
  - Every dashboard written gets the tag C(managed-by:OWNER). The message of each write carries a fingerprint, by which
    a later run knows whether somebody has edited the dashboard in Grafana.
  - Nothing is written while a file is not valid or a dashboard may not be touched. When Grafana fails in the middle,
    the result says of each dashboard whether it was written, and a further run does the rest.
options:
  src:
    description: Directory of dashboard files (C(*.json)). Its sub-directories become sub-folders.
    type: path
    required: true
  folder:
    description: Folder to put them in, as the titles on the way to it, separated by slashes. Missing ones are made.
    type: str
    required: true
  owner:
    description: Who manages these dashboards. Only dashboards of this owner are pruned or updated.
    type: str
    default: ias.observability
  prune:
    description: Whether to delete dashboards of O(owner) that are not in O(src).
    type: bool
    default: false
  adopt:
    description: Whether to take over a dashboard that exists with the uid of a file and is not of O(owner).
    type: bool
    default: false
  edited:
    description: What to do with a dashboard of O(owner) that was edited in Grafana and differs from its file.
    type: str
    choices:
      fail: Write nothing at all, and name who edited it and when.
      keep: Leave it alone.
      overwrite: Write the file over it.
    default: fail
  commit_message:
    description: Message for the history of each dashboard that is written.
    type: str
    default: Synced from files
attributes:
  check_mode:
    support: full
    details: With Grafana 12 and later the server checks the dashboards too, without storing them.
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - urllib3 >= 2
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - ias.observability._services.grafana
  - ias.observability._attributes
"""

EXAMPLES = r"""
- name: Keep the platform's dashboards as they are in the repository
  ias.observability.grafana_dashboards:
    grafana:
      username: "{{ grafana_user }}"
      password: "{{ grafana_password }}"
    src: contracts/dashboards
    folder: IAS Platform
    prune: true
    commit_message: "Commit {{ commit }}"
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: dashboards/edited, severity: error, object: API Router, message: the dashboard was edited in Grafana}
summary:
  description: How many dashboards were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 24, passed: 24}
dashboards:
  description: Each dashboard, what it needed, and how that ended.
  type: list
  elements: dict
  returned: always
  contains:
    uid:
      description: Its uid.
      type: str
    title:
      description: Its title.
      type: str
    action:
      description: V(create), V(update), V(delete), V(keep) or V(unchanged).
      type: str
    state:
      description: V(written), V(not needed), V(not written), or V(unknown) when Grafana did not answer any more.
      type: str
folders_created:
  description: The folders that were missing.
  type: list
  elements: str
  returned: always
  sample: [IAS Platform]
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._findings import Finding, failed, failure_message
from ..module_utils._grafana.files import check_all, load_folder
from ..module_utils._grafana.folders import parts
from ..module_utils._grafana.plan import WRITES, Policy
from ..module_utils._grafana.sync import Done, Sync, diff
from ..module_utils._http import HttpError
from ..module_utils._kube import KubeError
from ..module_utils._proof import unreachable
from ..module_utils._service import GRAFANA, arguments, open_service


def main() -> None:
    module = AnsibleModule(
        arguments(
            grafana=GRAFANA,
            src={"type": "path", "required": True},
            folder={"type": "str", "required": True},
            owner={"type": "str", "default": "ias.observability"},
            prune={"type": "bool", "default": False},
            adopt={"type": "bool", "default": False},
            edited={"type": "str", "choices": ["fail", "keep", "overwrite"], "default": "fail"},
            commit_message={"type": "str", "default": "Synced from files"},
        ),
        supports_check_mode=True,
    )
    params = module.params
    src = Path(params["src"])
    if not src.is_dir():
        module.fail_json(msg=f"src {src} is not a directory")
    folder = parts(params["folder"])
    wanted, findings = check_all((file, folder + below, spec) for file, below, spec in load_folder(src))
    done: list[Done] = []
    policy = Policy(params["owner"], params["edited"], params["adopt"], params["prune"])
    made: list[str] = []
    if not failed(findings):
        try:
            with open_service(params, "grafana") as api:
                sync = Sync(api, policy, params["commit_message"], module.check_mode)
                done, findings = sync.run(wanted)
                made = [one.title for one in sync.missing_folders]
        except (HttpError, KubeError) as error:
            findings = [unreachable(error)]
    finish(module, result(done, findings, made, with_diff=module._diff), findings)


def result(done: list[Done], findings: list[Finding], made: list[str], *, with_diff: bool) -> dict[str, Any]:
    written = [one for one in done if one.state == "written"]
    return {
        "changed": bool(written or made),
        "dashboards": [
            {"uid": one.step.uid, "title": one.step.title, "action": one.step.action, "state": one.state}
            for one in done
        ],
        "folders_created": made,
        "findings": [finding.as_dict() for finding in findings],
        "summary": {
            "checked": len(done),
            "passed": sum(one.step.action not in WRITES or one.state == "written" for one in done),
        },
        **({"diff": diff(written)} if with_diff else {}),
    }


def finish(module: AnsibleModule, told: dict[str, Any], findings: list[Finding]) -> None:
    if failed(findings):
        module.fail_json(msg=failure_message("Not every dashboard is as its file says", findings), **told)
    module.exit_json(**told)


if __name__ == "__main__":
    main()
