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
  - Works through C(/apis) (Grafana 12 and later) with optimistic locking, else through C(/api) (Grafana 9 and later).
  - Every dashboard written gets the tag C(managed-by:OWNER). The message of each write carries a fingerprint, by which
    a later run knows whether somebody has edited the dashboard in Grafana.
  - Two dashboards are the same when they differ only in ids, versions, defaults, empty values, and the order of tags
    and panels.
  - Nothing is written while a file is not valid or a dashboard may not be touched. When Grafana fails in the middle,
    the result says of each dashboard whether it was written, and a further run does the rest.
options:
  src:
    description:
      - Directory of dashboards. Its sub-directories become sub-folders. Links are followed; one that leads nowhere, or
        back to where it is, is an error. A dashboard is a file of Grafana's JSON
        (C(*.json)), or a spec (C(*.yaml)), a short description whose form C(contracts/README.md) of this collection
        explains.
      - Specs are compiled when they are applied. The JSON beside a spec of the same name is what was compiled of it
        before; it is used where O(contract) is not given.
    type: path
    required: true
  contract:
    description:
      - The metrics contract that specs are compiled with, as in M(ias.observability.dashboards_validate). A query with
        C(slo) asks for its objectives, and series whose names follow from it get colours of their own.
      - Its C(names) are put into the queries of specs, C(metrics) and C(jobs), each a mapping of its names to those of
        the team. JSON is written as it is.
    type: path
  services:
    description:
      - The services of O(contract) that this site runs. Empty means all.
      - The spec of a dashboard whose C(service) is none of them is left out, and so are objectives of others.
    type: list
    elements: str
    default: []
  folder:
    description:
      - Folder to put them in, as the titles on the way to it, separated by slashes. Missing ones are made. The empty
        text is the root.
    type: str
    required: true
  owner:
    description:
      - Who manages these dashboards. Only dashboards of this owner are pruned or updated. Up to 39 letters, digits,
        dots, dashes and underscores.
    type: str
    default: ias.observability
  prune:
    description:
      - Whether to delete dashboards of O(owner) that lie in O(folder) or below it and are not in O(src). Folders stay,
        and so do copies that somebody has made of a dashboard.
      - Refused where O(src) holds no dashboard at all, and above O(prune_limit).
    type: bool
    default: false
  prune_limit:
    description:
      - How many dashboards one run may delete. When there are more, nothing is written and they are named, since a
        wrong O(src) looks just like one from which much was removed.
    type: int
    default: 10
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
  permissions:
    description:
      - Who may do what with single dashboards. A dashboard that is named here gets exactly the entries that are given
        for it, beside what it inherits from its folder. Others are left as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      dashboard:
        description: Uid of a dashboard of O(src).
        type: str
        required: true
      role:
        description: Role of the organisation. One of O(permissions[].role), O(permissions[].team) and
          O(permissions[].user) is required.
        type: str
        choices: [Viewer, Editor]
      team:
        description: Name of a team.
        type: str
      user:
        description: Login of a user.
        type: str
      permission:
        description: What is granted.
        type: str
        required: true
        choices: [view, edit, admin]
attributes:
  check_mode:
    support: full
    details:
      - With Grafana 12 and later the server checks the dashboards too, without storing them.
      - Permissions that the account lacks are errors, as far as Grafana says what it may do. Whether it may set
        O(permissions) is not checked.
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - python >= 3.11
  - PyYAML
  - kubernetes >= 24.2
  - urllib3 >= 2
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
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

- name: Put the collection's dashboards in, with the names that the team's services use
  ias.observability.grafana_dashboards:
    grafana:
      username: "{{ grafana_user }}"
      password: "{{ grafana_password }}"
    src: contracts/dashboards
    contract: contracts/services.yaml
    folder: IAS Platform

- name: Let one team edit one dashboard
  ias.observability.grafana_dashboards:
    grafana:
      url: https://grafana.example.org
      token: "{{ grafana_token }}"
      ca_file: /etc/ssl/private-ca.pem
    src: dashboards
    folder: Teams/Search
    permissions:
      - {dashboard: search-latency, role: Viewer, permission: view}
      - {dashboard: search-latency, team: Search, permission: edit}
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
permissions:
  description: The dashboards that O(permissions) names, and how that ended.
  type: list
  elements: dict
  returned: always
  contains:
    uid:
      description: Uid of the dashboard.
      type: str
    state:
      description: As in RV(dashboards).
      type: str
folders_created:
  description: The folders that were missing, as far as they were made.
  type: list
  elements: str
  returned: always
  sample: [IAS Platform]
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils._contract_file import RUNNING_ARGS, read_running
from ..module_utils._dashboard_files import load_dashboards
from ..module_utils._ending import end
from ..module_utils._findings import Finding, failed
from ..module_utils._grafana.folders import parts
from ..module_utils._grafana.ownership import OWNER
from ..module_utils._grafana.permissions import LEVELS, pretty, read_option
from ..module_utils._grafana.plan import PRUNE_LIMIT, WRITES, Policy
from ..module_utils._grafana.sync import StepResult, Sync, diff
from ..module_utils._grafana_model.files import check_all
from ..module_utils._http import HttpError
from ..module_utils._kube import KubeError
from ..module_utils._kube.module import kube_module
from ..module_utils._service import GRAFANA, arguments, open_service
from ..module_utils._verify.unreachable import unreachable

WHAT = "Not every dashboard is as its file says"
PERMISSIONS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "dashboard": {"type": "str", "required": True},
        "role": {"type": "str", "choices": ["Viewer", "Editor"]},
        "team": {"type": "str"},
        "user": {"type": "str"},
        "permission": {"type": "str", "required": True, "choices": list(LEVELS)},
    },
    "required_one_of": [("role", "team", "user")],
    "mutually_exclusive": [("role", "team", "user")],
}


def main() -> None:
    module = kube_module(
        arguments(
            grafana=GRAFANA,
            src={"type": "path", "required": True},
            **RUNNING_ARGS,
            folder={"type": "str", "required": True},
            owner={"type": "str", "default": "ias.observability"},
            prune={"type": "bool", "default": False},
            prune_limit={"type": "int", "default": PRUNE_LIMIT},
            adopt={"type": "bool", "default": False},
            edited={"type": "str", "choices": ["fail", "keep", "overwrite"], "default": "fail"},
            commit_message={"type": "str", "default": "Synced from files"},
            permissions=PERMISSIONS,
        ),
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    src = Path(params["src"])
    if not src.is_dir():
        module.fail_json(msg=f"src {src} is not a directory: give the one that the files of the dashboards are in")
    if not OWNER.fullmatch(params["owner"]):
        module.fail_json(msg=f"owner {params['owner']!r} is not 1 to 39 letters, digits, dots, dashes and underscores")
    if params["prune_limit"] < 0:
        module.fail_json(msg=f"prune_limit {params['prune_limit']} is negative: give how many may be deleted, or 0")
    folder = parts(params["folder"])
    running, problems = read_running(params["contract"], params["services"])
    desired, findings = check_all((file, folder + below, spec) for file, below, spec in load_dashboards(src, running))
    findings = [*problems, *findings]
    if params["prune"] and not desired and not failed(findings):
        findings.append(empty_source(src, params["owner"]))
    if failed(findings):
        end(module, WHAT, findings, **result([], None, with_diff=module._diff))
    policy = Policy(params["owner"], params["edited"], params["adopt"], params["prune_limit"])
    results: list[StepResult] = []
    sync = None
    try:
        with open_service(params, "grafana") as api:
            grants = read_option(params["permissions"])
            sync = Sync(api, policy, params["commit_message"], folder, params["prune"], module.check_mode, grants)
            results, findings = sync.run(desired)
    except (HttpError, KubeError) as error:
        findings = [unreachable(error)]
    end(module, WHAT, findings, **result(results, sync, with_diff=module._diff))


def empty_source(src: Path, owner: str) -> Finding:
    message = f"it holds no dashboard, so prune would delete every dashboard of {owner}"
    return Finding("dashboards/empty-source", "error", message, "Correct src, or set prune to false", file=str(src))


def result(results: list[StepResult], sync: Sync | None, *, with_diff: bool) -> dict[str, Any]:
    written = [step_result for step_result in results if step_result.state == "written"]
    created = [folder.title for folder in sync.created_folders] if sync else []
    granted = sync.granted if sync else []
    return {
        "changed": bool(written or created or any(grants.state == "written" for grants in granted)),
        "dashboards": [
            {
                "uid": step_result.step.uid,
                "title": step_result.step.title,
                "action": step_result.step.action,
                "state": step_result.state,
            }
            for step_result in results
        ],
        "permissions": [{"uid": grants.uid, "state": grants.state} for grants in granted],
        "folders_created": created,
        "summary": {
            "checked": len(results),
            "passed": sum(
                step_result.step.action not in WRITES or step_result.state == "written" for step_result in results
            ),
        },
        **({"diff": diff(written) + (diff_grants(sync) if sync else [])} if with_diff else {}),
    }


def diff_grants(sync: Sync) -> list[dict[str, str]]:
    return [
        {
            "before_header": f"permissions of {granted.uid}",
            "after_header": f"permissions of {granted.uid}",
            "before": pretty(granted.before),
            "after": pretty(sync.grants[granted.uid]),
        }
        for granted in sync.granted
        if granted.state == "written"
    ]


if __name__ == "__main__":
    main()
