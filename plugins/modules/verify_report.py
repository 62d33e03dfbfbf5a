#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the results of several proofs into one report."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Put the results of several proofs into one report
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Takes the registered results of modules that return RV(ignore:findings), makes one report of them, and writes it as
    a page, as text, and in the formats that CI systems read.
  - It does not fail when a proof failed, so that the report can be shown first. See RV(failed_proofs).
extends_documentation_fragment:
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  proofs:
    description: The proofs, in the order of the table.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Short name, the JUnit test case.
        type: str
        required: true
      title:
        description: What is proved, in a few words.
        type: str
        required: true
      result:
        description: The registered result.
        type: dict
        required: true
  dest:
    description:
      - Directory for the files of the report. It is made when it is missing.
      - C(report.html) is one page that needs nothing else, C(verify.txt) the table, C(verify.xml) JUnit, C(report.json)
        everything, with the counts of the last 30 runs, and C(ctrf-report.json) the Common Test Report Format.
      - Without it nothing is written.
    type: path
  started:
    description: When the proofs began, as ISO 8601 in UTC. It tells one run from another in the history.
    type: str
    default: ''
  cluster:
    description: The name of the cluster, as readers of the report know it.
    type: str
    default: ''
  services:
    description: Services for which the page counts the errors that name them.
    type: list
    elements: str
    default: []
  versions:
    description: Name and version of what took part.
    type: dict
    default: {}
requirements:
  - python >= 3.11
"""

EXAMPLES = r"""
- name: Make the report
  ias.observability.verify_report:
    dest: reports
    proofs:
      - name: targets
        title: Every target is up
        result: "{{ targets }}"
"""

RETURN = r"""
lines:
  description: The table, line by line.
  type: list
  elements: str
  returned: always
  sample: ["ok  Every target is up  24/24  9 jobs"]
failed_proofs:
  description: The titles of the proofs that failed.
  type: list
  elements: str
  returned: always
  sample: []
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._files import UnreadableError, read_text, write_text
from ..module_utils._printable import printable_tree
from ..module_utils._report.data import ctrf, read_history, report_json
from ..module_utils._report.html import page
from ..module_utils._report.junit import junit
from ..module_utils._report.proofs import PastRun, Run, read_proof
from ..module_utils._report.text import table

REPORT = "report.json"


def main() -> None:
    text = {"type": "str", "required": True}
    proof = {"name": text, "title": text, "result": {"type": "dict", "required": True}}
    module = AnsibleModule(
        {
            "proofs": {"type": "list", "elements": "dict", "required": True, "options": proof},
            "dest": {"type": "path"},
            "started": {"type": "str", "default": ""},
            "cluster": {"type": "str", "default": ""},
            "services": {"type": "list", "elements": "str", "default": []},
            "versions": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = module.params
    folder = Path(params["dest"]) if params["dest"] else None
    run = Run(
        tuple(read_proof(proof["name"], proof["title"], proof["result"]) for proof in printable_tree(params["proofs"])),
        started=params["started"],
        cluster=params["cluster"],
        services=tuple(params["services"]),
        versions=tuple((name, str(version)) for name, version in params["versions"].items()),
        history=earlier_runs(folder / REPORT) if folder else (),
    )
    lines = table(run.proofs)
    stale: list[bool] = []
    if folder:
        try:
            stale = [
                write_text(folder / name, text, dry_run=module.check_mode) for name, text in files(run, lines).items()
            ]
        except OSError as error:
            module.fail_json(msg=f"The report cannot be written to {folder}: {error}")
    module.exit_json(changed=any(stale), lines=lines, failed_proofs=[proof.title for proof in run.failed])


def files(run: Run, lines: list[str]) -> dict[str, str]:
    """File name → content."""
    return {
        "verify.txt": "\n".join(lines) + "\n",
        "verify.xml": junit(run.proofs),
        "report.html": page(run),
        REPORT: report_json(run),
        "ctrf-report.json": ctrf(run),
    }


def earlier_runs(path: Path) -> tuple[PastRun, ...]:
    """None where there is no earlier report: a report is made all the same."""
    try:
        return read_history(read_text(path))
    except UnreadableError:
        return ()


if __name__ == "__main__":
    main()
