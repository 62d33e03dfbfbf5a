# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The imports of plugins/module_utils keep to the table of rooms in docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROW = re.compile(r"^\| `(?P<room>_\w+)` \| (?P<holds>[^|]*) \| (?P<imports>[^|]*)\|$", re.MULTILINE)
INPUT_AND_OUTPUT = {"http", "io", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "time", "urllib3"}
LAZY = {"_kube/__init__.py"}
"""May import when asked: the Kubernetes client is an optional library that takes half a second."""


@pytest.fixture(scope="module")
def utils() -> Path:
    return Path(__file__).resolve().parents[2] / "plugins" / "module_utils"


@pytest.fixture(scope="module")
def rows() -> list[re.Match[str]]:
    """The table of rooms, in its order."""
    page = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
    return list(ROW.finditer(page.read_text("utf-8")))


@pytest.fixture(scope="module")
def table(rows: list[re.Match[str]]) -> dict[str, set[str]]:
    """Room → the rooms that it may import."""
    return {row["room"]: set(re.findall(r"`(_\w+)`", row["imports"])) for row in rows}


def room_of(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def imports(path: Path, utils: Path) -> Iterator[tuple[ast.AST, str]]:
    """Each relative import of a file with the path below module_utils that it names, as `_room/file`."""
    package = path.relative_to(utils).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            module = tuple((node.module or "").split(".")) if node.module else ()
            for alias in node.names:
                yield node, "/".join((*base, *module, alias.name))


def test_every_import_is_one_of_the_table(table: dict[str, set[str]], utils: Path) -> None:
    used: Mapping[str, set[str]] = defaultdict(set)
    for path in utils.rglob("*.py"):
        room = room_of(path.relative_to(utils))
        for _node, target in imports(path, utils):
            used[room].add(target.split("/")[0])
    forbidden = {
        f"{room} imports {other}" for room, others in used.items() for other in others - {room} - table.get(room, set())
    }
    assert forbidden == set()


def test_every_room_stands_in_the_table_behind_what_it_imports(table: dict[str, set[str]], utils: Path) -> None:
    rooms = {room_of(path.relative_to(utils)) for path in utils.rglob("*.py")} - {"__init__"}
    assert set(table) == rooms
    before: set[str] = set()
    for room, others in table.items():
        assert others <= before, f"{room} stands before what it may import"
        before.add(room)


def test_a_pure_room_neither_reads_nor_writes(rows: list[re.Match[str]], utils: Path) -> None:
    pure = {row["room"] for row in rows if row["holds"].startswith("pure")}
    impure = {
        f"{path.relative_to(utils)} imports {name}"
        for path in utils.rglob("*.py")
        if room_of(path.relative_to(utils)) in pure
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in outside(node)
        if name in INPUT_AND_OUTPUT
    }
    assert impure == set()


def outside(node: ast.AST) -> list[str]:
    """The top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [(node.module or "").split(".")[0]]
    return []


def test_no_import_waits_inside_a_function(utils: Path) -> None:
    """A circle of imports can hide there."""
    hidden = [
        f"{path.relative_to(utils)}:{inner.lineno}"
        for path in utils.rglob("*.py")
        if path.relative_to(utils).as_posix() not in LAZY
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_files_do_not_import_each_other_in_a_circle(utils: Path) -> None:
    graph = {
        path.relative_to(utils).with_suffix("").as_posix(): {
            name
            for _node, target in imports(path, utils)
            for name in (target, target.rpartition("/")[0], f"{target}/__init__")
            if (utils / f"{name}.py").is_file()
        }
        for path in utils.rglob("*.py")
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())
