# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduce a session of cosmic-ray to a fair sample: `python tests/mutation/sample.py SESSION COUNT`.

One mutant a place, for an operator has up to eleven mutants that one test kills at once, and none in annotations,
which are never evaluated. The same seed takes the same sample of the same code.
"""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec

SEED = 5
Position = tuple[int, int]


@cache
def annotations(module: Path) -> tuple[tuple[Position, Position], ...]:
    """Where the module's annotations begin and end, as line and column."""
    return tuple(
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0))
        for node in _annotations(ast.parse(module.read_text()))
    )


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns


def is_evaluated(mutation: MutationSpec) -> bool:
    return not any(start <= mutation.start_pos < end for start, end in annotations(mutation.module_path))


def place(mutation: MutationSpec) -> tuple[str, Position, str]:
    """Where a mutation is and of which kind, whatever it puts there."""
    kind = mutation.operator_name.split("_", 1)[0]
    return str(mutation.module_path), mutation.start_pos, kind


def main(session: str, count: str) -> None:
    generator = random.Random(SEED)
    with use_db(session, WorkDB.Mode.open) as database:
        items = sorted(
            database.work_items, key=lambda item: (place(item.mutations[0]), item.mutations[0].operator_name)
        )
        generator.shuffle(items)
        places = {place(item.mutations[0]): item for item in items if is_evaluated(item.mutations[0])}
        chosen = list(places.values())[: int(count)]
        database.clear()
        database.add_work_items(chosen)
    print(f"{len(chosen)} of {len(places)} places, of {len(items)} mutants in all")


if __name__ == "__main__":
    main(*sys.argv[1:])
