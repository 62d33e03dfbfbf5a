# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""alert_rules_validate against promtool: on the published rule files, and on one file inside a playbook."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.bench.measure import SHARED, Figure, UnmeasurableError, module, peak_memory, promtool, run
from tests.bench.playbook import play

ROUNDS = 5
TASKS = 10
# Both refuse some of these files; what counts is that they have read them all.
WHOLE = "every lint over every expression, in one Python process"
ONE = "Ansible's own start of a module: unpacking it and a Python interpreter"


def figures(folder: Path) -> Iterator[Figure]:
    """Whole processes, as Ansible starts the module: interpreter, imports, reading, every lint, JSON out."""
    program = promtool()
    yield published(program, folder)
    yield in_a_playbook(program, folder)


def published(program: str, folder: Path) -> Figure:
    files = write_rule_files(SHARED / "corpus" / "rulefiles.jsonl.gz", folder / "published")
    arguments = json.dumps(
        {"ANSIBLE_MODULE_ARGS": {"paths": [str(folder / "published")], "_ansible_remote_tmp": "/tmp"}}
    )
    ours, theirs = module("alert_rules_validate"), [program, "check", "rules", "--lint=all", *map(str, files)]
    rounds = [(run(ours, arguments), run(theirs)) for _ in range(ROUNDS)]
    what = f"every lint on {len(files)} published rule files"
    return Figure(
        what,
        "promtool check rules",
        min(one.seconds for one, _ in rounds),
        min(other.seconds for _, other in rounds),
        1.5,
        WHOLE,
        details={"files": len(files), "memory_mib": round(peak_memory("alert_rules_validate", arguments), 1)},
    )


def in_a_playbook(program: str, folder: Path) -> Figure:
    """The task alone: the same playbook without tasks is taken off."""
    rules = {"groups": [{"name": "g", "rules": [{"alert": "Down", "expr": "up == 0", "for": "5m"}]}]}
    file = folder / "one.yaml"
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    ours = {"ias.observability.alert_rules_validate": {"paths": [str(file)]}}
    theirs = {"ansible.builtin.command": {"argv": [program, "check", "rules", str(file)]}, "changed_when": False}
    rounds = [
        (play(folder, [ours] * TASKS), play(folder, [theirs] * TASKS), play(folder, []))
        for _ in range(max(2, ROUNDS // 2))
    ]
    one, other, empty = (min(ran.seconds for ran in column) for column in zip(*rounds, strict=True))
    return Figure(
        "a task on one rule file",
        "ansible.builtin.command: promtool check rules",
        (one - empty) / TASKS,
        (other - empty) / TASKS,
        1.5,
        ONE,
    )


def write_rule_files(corpus: Path, folder: Path) -> list[Path]:
    if not corpus.exists():
        raise UnmeasurableError(f"{corpus} is not there: set IAS_SHARED")
    folder.mkdir()
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    files = [folder / f"{number:03}.yaml" for number in range(len(rows))]
    for file, row in zip(files, rows, strict=True):
        file.write_text(yaml.safe_dump({"groups": row["groups"]}, sort_keys=False), encoding="utf-8")
    return files
