# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids of findings are an interface: waivers name them, so docs/validate.md does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

DOCUMENTED = ("rules/", "dashboards/", "values/", "coverage/")

VALIDATING = ("_alertmanager", "_contract", "_dashboards", "_grafana_model", "_rule_tests", "_rules", "_values")
PREFIXES = {"lints": "rules/", "_alertmanager": "rules/", "_values": "values/"}
"""Of the folders whose files give only the second part of an id."""


def literals(path: Path) -> Iterator[str]:
    """Ids that are written in full, and those given to an `add`, `_add` or `_say` that completes them."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(DOCUMENTED):
            yield node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"add", "_add"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and "/" not in first.value:
                prefix = PREFIXES.get(path.parent.name, "")
                if prefix and " " not in first.value:
                    yield prefix + first.value


def test_every_id_is_documented(root: Path) -> None:
    text = (root / "docs" / "validate.md").read_text("utf-8")
    folder = root / "plugins" / "module_utils"
    files = [
        folder / "_waivers.py",
        *(path for room in VALIDATING for path in (folder / room).rglob("*.py")),
    ]
    ids = {one for path in files for one in literals(path) if not one.endswith("/")}
    assert len(ids) > 70
    missing = {one for one in ids if f"`{one.partition('/')[2]}`" not in text and f"`{one}`" not in text}
    assert missing == set()


def test_every_id_of_the_preflight_is_documented(root: Path) -> None:
    text = (root / "docs" / "preflight.md").read_text("utf-8")
    utils = root / "plugins" / "module_utils"
    files = [*(utils / "_preflight").glob("*.py"), *(utils / "_cluster").glob("*.py")]
    ids = {
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("cluster/")
    }
    assert len(ids) > 20
    assert {one for one in ids if f"`{one}`" not in text} == set()
