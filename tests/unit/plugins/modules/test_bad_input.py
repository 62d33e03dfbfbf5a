# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that names a file, given every kind of file that is not what it should be: one message that names it."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.module import run_module

PACKAGE = "ansible_collections.ias.observability.plugins.modules"
NOWHERE = {"url": "http://127.0.0.1:9"}  # nothing listens: a module that asks before it reads fails otherwise
RULES = {"groups": []}


def alone(option: str, **others: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda bad: {**others, option: str(bad)}


def listed(option: str, **others: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda bad: {**others, option: [str(bad)]}


def beside(option: str) -> Callable[[Path], dict[str, Any]]:
    return lambda bad: {option: [str(bad)], "chart_ref": str(bad.parent.with_name("chart"))}


READERS: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "rules": ("alert_rules_validate", listed("paths")),
    "contract of rules": ("alert_rules_validate", alone("contract", rules=RULES)),
    "routing of rules": ("alert_rules_validate", alone("alertmanager_config", rules=RULES)),
    "tests of rules": ("alert_rules_validate", listed("tests", rules=RULES)),
    "waivers of rules": ("alert_rules_validate", alone("waivers", rules=RULES)),
    "covered rules": ("alert_rules_coverage", listed("paths")),
    "rules to prove": ("alert_rules_verify", listed("paths", prometheus=NOWHERE)),
    "dashboards": ("dashboards_validate", listed("paths")),
    "contract of dashboards": ("dashboards_validate", alone("contract", dashboards=[])),
    "waivers of dashboards": ("dashboards_validate", alone("waivers", dashboards=[])),
    "contract to compare": ("metrics_contract_info", alone("contract", prometheus=NOWHERE)),
    "values": ("helm_values_validate", beside("values_files")),
    "chart": ("helm_values_validate", alone("chart_ref", values={})),
    "dashboards to sync": ("grafana_dashboards", alone("src", folder="Ours", grafana=NOWHERE)),
    "backup": ("grafana_restore", alone("src", grafana=NOWHERE)),
}


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 50 << 20)


def bomb(path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{last}'] * 10)}]" for last, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    path.write_text("\n".join(lines))


KINDS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(b"\xff\xfe\x00\x01" * 100),
    "text": lambda path: path.write_text("just a line"),
    "list": lambda path: path.write_text("[1, 2]"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "digits": lambda path: path.write_text("1" * 10_000),
    "no yaml": lambda path: path.write_text("{a: [}"),
    "bomb": bomb,
    "huge": huge,
    "pipe": os.mkfifo,
    "loop": lambda path: path.symlink_to(path.name),
}
MAY_BE_EMPTY = {"rules", "covered rules", "values", "waivers of rules", "waivers of dashboards"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_bad_input_is_named(reader: str, kind: str, tmp_path: Path) -> None:
    name, args = READERS[reader]
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text("apiVersion: v2\nname: api\nversion: 1.0.0\n")
    folder = tmp_path / "given"
    folder.mkdir()
    bad = folder / "bad.json"
    KINDS[kind](bad)
    before = sorted(tmp_path.rglob("*"))
    result = run_module(importlib.import_module(f"{PACKAGE}.{name}"), **args(bad))
    said = json.dumps(result)
    assert bad.name in said or (kind == "empty" and reader in MAY_BE_EMPTY), said[:500]
    assert "Traceback" not in said
    assert len(result.get("msg", "")) < 5000
    assert not result.get("changed")
    assert sorted(tmp_path.rglob("*")) == before
