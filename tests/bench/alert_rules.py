# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""alert_rules_validate against promtool and pint on the published rule files, and on one file inside a playbook."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.bench.interpreter import Interpreter, system, this
from tests.bench.measure import SHARED, Figure, UnmeasurableError, module, peak_memory, pint, promtool, run
from tests.bench.playbook import play

ROUNDS = 5
TASKS = 10
OURS_ALONE: dict[str, Any] = {"promtool": []}
"""Else the module asks the promtool that it finds, and the peer is measured within ours."""
# Both refuse some of these files; what counts is that they have read them all.
WHOLE = "every lint; promtool checks syntax alone"
TOLD = "Ansible's way out: it copies each value of the rules to take secrets out"
ONE = "Ansible's own start of a module: unpacking it and a Python interpreter"


def figures(folder: Path) -> Iterator[Figure]:
    """Whole processes, as Ansible starts the module: interpreter, imports, reading, every lint, JSON out."""
    program = promtool()
    yield from published(program, folder)
    yield in_a_playbook(program, folder)


def against_pint(folder: Path) -> Iterator[Figure]:
    """Its checks that need no Prometheus, told as JSON like ours."""
    program = pint()
    files = write_published(folder)
    theirs = [program, "--offline", "--no-color", "lint", "--json", "/dev/stdout", str(files[0].parent)]
    yield compared(files, "pint --offline lint", theirs, 1.0, this(), faster=True)


def published(program: str, folder: Path) -> Iterator[Figure]:
    """As the inventories run it, with the playbook's Python, and as the role does, without the rules in the answer.

    Then as it is by default, with the rules; then with the host's Python, for what a Python's build is worth.
    """
    files = write_published(folder)
    against, theirs = "promtool check rules", [program, "check", "rules", "--lint=all", *map(str, files)]
    yield compared(files, against, theirs, 2.0, this())
    yield compared(files, against, theirs, None, this(), return_rules=True)
    if (host := system(folder)) is not None:
        yield compared(files, against, theirs, None, host)


def compared(
    files: Sequence[Path],
    against: str,
    theirs: Sequence[str],
    goal: float | None,
    python: Interpreter,
    *,
    faster: bool = False,
    return_rules: bool = False,
) -> Figure:
    """Our module on the files, in turns with the peer."""
    options = {**OURS_ALONE, "paths": [str(files[0].parent)], "return_rules": return_rules}
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_remote_tmp": "/tmp"}})
    ours = module("alert_rules_validate", python.program)
    rounds = [(run(ours, arguments, **python.environment), run(theirs)) for _ in range(ROUNDS)]
    return Figure(
        f"every lint on {len(files)} published rule files{', the rules told' * return_rules} ({python.name})",
        against,
        min(one.seconds for one, _ in rounds),
        min(other.seconds for _, other in rounds),
        goal,
        TOLD if return_rules else WHOLE,
        faster=faster,
        memory_mib=peak_memory("alert_rules_validate", arguments, python.program, **python.environment),
        details={"files": len(files)},
    )


def in_a_playbook(program: str, folder: Path) -> Figure:
    """The task alone: the same playbook without tasks is taken off."""
    rules = {"groups": [{"name": "g", "rules": [{"alert": "Down", "expr": "up == 0", "for": "5m"}]}]}
    file = folder / "one.yaml"
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    ours = {"ias.observability.alert_rules_validate": {**OURS_ALONE, "paths": [str(file)]}}
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


def write_published(folder: Path) -> list[Path]:
    return write_rule_files(SHARED / "corpus" / "rulefiles.jsonl.gz", folder / "published")


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
