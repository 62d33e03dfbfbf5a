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
  - Takes the registered results of modules that return RV(ignore:findings), makes one table of them, and writes it as
    text and as JUnit XML.
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
      - Directory for C(verify.txt) and C(verify.xml). It is made when it is missing.
      - Without it nothing is written.
    type: path
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

from ..module_utils._report import junit, read_row, table


def main() -> None:
    text = {"type": "str", "required": True}
    proof = {"name": text, "title": text, "result": {"type": "dict", "required": True}}
    module = AnsibleModule(
        {
            "proofs": {"type": "list", "elements": "dict", "required": True, "options": proof},
            "dest": {"type": "path"},
        },
        supports_check_mode=True,
    )
    rows = [read_row(one["name"], one["title"], one["result"]) for one in module.params["proofs"]]
    lines = table(rows)
    changed = False
    if module.params["dest"]:
        files = {"verify.txt": "\n".join(lines) + "\n", "verify.xml": junit(rows)}
        try:
            changed = write(Path(module.params["dest"]), files, dry_run=module.check_mode)
        except OSError as error:
            module.fail_json(msg=f"The report cannot be written to {module.params['dest']}: {error}")
    module.exit_json(changed=changed, lines=lines, failed_proofs=[row.title for row in rows if not row.ok])


def write(folder: Path, files: dict[str, str], *, dry_run: bool) -> bool:
    """Write what differs."""
    stale = {
        name: content
        for name, content in files.items()
        if not (folder / name).is_file() or (folder / name).read_text() != content
    }
    if stale and not dry_run:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in stale.items():
            (folder / name).write_text(content)
    return bool(stale)


if __name__ == "__main__":
    main()
