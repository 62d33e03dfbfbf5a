# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that names a file, given every kind of file that is not what it should be.

What is told names the file, says what is wrong with it and what to do; nothing is written, nobody is asked.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._grafana import archive
from tests.fakes.module import run_module

PACKAGE = "ansible_collections.ias.observability.plugins.modules"
NOWHERE = {"url": "http://127.0.0.1:9"}  # nothing listens: a module that asks before it reads fails otherwise
RULES = {"groups": []}


def alone(option: str, **others: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda bad: {**others, option: str(bad)}


def listed(option: str, **others: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda bad: {**others, option: [str(bad)]}


def around(option: str, **others: Any) -> Callable[[Path], dict[str, Any]]:
    """The folder that the file is in."""
    return lambda bad: {**others, option: str(bad.parent)}


def beside(option: str) -> Callable[[Path], dict[str, Any]]:
    return lambda bad: {option: [str(bad)], "chart_ref": str(bad.parent.with_name("chart"))}


READERS: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "rules": ("alert_rules_validate", listed("paths")),
    "contract of rules": ("alert_rules_validate", alone("contract", rules=RULES)),
    "routing of rules": ("alert_rules_validate", alone("alertmanager_config", rules=RULES)),
    "tests of rules": ("alert_rules_validate", listed("tests", rules=RULES)),
    "waivers of rules": ("alert_rules_validate", alone("waivers", rules=RULES)),
    "covered rules": ("alert_rules_coverage", listed("paths")),
    "rules to prove": ("alert_rules_verify", listed("paths", prometheus=NOWHERE, timeout=0)),
    "dashboards": ("dashboards_validate", listed("paths")),
    "contract of dashboards": ("dashboards_validate", alone("contract", dashboards=[])),
    "waivers of dashboards": ("dashboards_validate", alone("waivers", dashboards=[])),
    "contract to compare": ("metrics_contract_verify", alone("contract", prometheus=NOWHERE, timeout=0)),
    "values": ("helm_values_validate", beside("values_files")),
    "chart": ("helm_values_validate", alone("chart_ref", values={})),
    "dashboards to sync": ("grafana_dashboards", around("src", folder="Ours", grafana=NOWHERE)),
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
GOOD = {
    "rules": "groups: [{name: g, rules: [{record: 'a:b:sum', expr: sum(a)}]}]\n",
    "contract": "services: {}\nnames: {}\n",
    "routing": "route: {receiver: a}\nreceivers: [{name: a}]\n",
    "tests": "rule_files: []\ntests: []\n",
    "waivers": "waivers: []\n",
    "dashboards": '{"uid": "d", "title": "D", "schemaVersion": 41,\n "panels": []}\n',
    "values": "replicas: 2\nimage: {tag: v1}\n",
}
FORMATS = {
    "rules": "rules",
    "contract of rules": "contract",
    "routing of rules": "routing",
    "tests of rules": "tests",
    "waivers of rules": "waivers",
    "covered rules": "rules",
    "rules to prove": "rules",
    "dashboards": "dashboards",
    "contract of dashboards": "contract",
    "waivers of dashboards": "waivers",
    "contract to compare": "contract",
    "values": "values",
    "dashboards to sync": "dashboards",
}
STEPS = re.compile(
    r"check the path|save (?:the file|its content) as|split it|correct the file|must be|known (?:are|here)|leave it out"
    r"|is needed|give (?:a path|the|it)|see (?:the|promtool)|take another|has `route`|this is YAML|values are a"
    r"|keep one|make it|is a mapping with",
    re.IGNORECASE,
)
MAY_BE_EMPTY = {"rules", "covered rules", "values"}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.transport, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture(autouse=True)
def _no_promtool(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of this machine, whose start would take longer than the test."""
    monkeypatch.setenv("PATH", os.defpath)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Where the file is to be, in a folder of its own; a chart lies beside it."""
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text("apiVersion: v2\nname: api\nversion: 1.0.0\n")
    (tmp_path / "chart/values.yaml").write_text("replicas: 1\nimage: {tag: v0}\n")
    (tmp_path / "chart/templates").mkdir()
    (tmp_path / "chart/templates/x.yaml").write_text("{{ .Values.replicas }}{{ .Values.image.tag }}")
    folder = tmp_path / "given"
    folder.mkdir()
    return folder / "bad.json"


def run(reader: str, bad: Path) -> dict[str, Any]:
    name, args = READERS[reader]
    before = sorted(bad.parents[1].rglob("*"))
    result = run_module(importlib.import_module(f"{PACKAGE}.{name}"), **args(bad))
    assert sorted(bad.parents[1].rglob("*")) == before
    assert not result.get("changed")
    assert "Traceback" not in json.dumps(result)
    result.pop("seconds", None)  # of no two runs the same
    return result


def told(result: dict[str, Any], bad: Path) -> list[str]:
    """Each thing that is said of the file, checked for what a reader needs. The message is said either way."""
    assert result["failed"] is True
    assert bad.name in result["msg"]
    assert len(result["msg"]) < 5000
    about = [one for one in result.get("findings") or [] if one["severity"] == "error" and Path(one["file"]) == bad]
    said = [f"{one['message']}; {one['hint']}" for one in about] or [result["msg"]]
    for one in said:
        assert STEPS.search(one), f"what to do? {one}"
        assert not re.search(r"(?<!')\bb'|0x[0-9a-f]{6}|sys\.|Error\(|object at", one), f"of the interpreter: {one}"
    return said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_bad_input_is_named(reader: str, kind: str, bad: Path) -> None:
    KINDS[kind](bad)
    result = run(reader, bad)
    if kind == "missing" and reader == "dashboards to sync":  # then there is nothing to sync
        assert result["findings"][0]["id"] == "verify/unreachable"
    elif kind == "empty" and reader in MAY_BE_EMPTY:
        assert "failed" not in result
    else:
        told(result, bad)


@pytest.mark.parametrize("reader", FORMATS)
def test_marks_and_line_ends_make_no_difference(reader: str, bad: Path) -> None:
    text = GOOD[FORMATS[reader]]
    bad.write_text(text, encoding="utf-8")
    plain = untimed(run(reader, bad))
    assert not [one for one in plain.get("findings", []) if Path(one["file"]) == bad and one["severity"] == "error"]
    for other in ("\ufeff" + text, text.replace("\n", "\r\n"), "\ufeff" + text.replace("\n", "\r\n")):
        bad.write_bytes(other.encode())
        assert untimed(run(reader, bad)) == plain


def untimed(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "seconds"}


@pytest.mark.parametrize("reader", FORMATS)
def test_keys_that_are_written_twice(reader: str, bad: Path) -> None:
    text = GOOD[FORMATS[reader]]
    twice = text.replace('"uid": "d"', '"uid": "d", "uid": "e"') if FORMATS[reader] == "dashboards" else text * 2
    bad.write_text(twice, encoding="utf-8")
    assert any("twice" in one for one in told(run(reader, bad), bad))


@pytest.mark.parametrize("value", ["5", "[5]", "{x: 5}", "text"])
@pytest.mark.parametrize("reader", FORMATS)
def test_values_of_another_type(reader: str, value: str, bad: Path) -> None:
    """Of each key at the top."""
    wrong = {key: yaml.safe_load(value) for key in yaml.safe_load(GOOD[FORMATS[reader]])}
    bad.write_text(json.dumps(wrong), encoding="utf-8")
    told(run(reader, bad), bad)


@pytest.mark.parametrize("version", ["2.55", "99.0", "3", "three", "", "-1.0"])
@pytest.mark.parametrize("name", ["alert_rules_validate", "alert_rules_coverage", "dashboards_validate"])
def test_a_version_that_is_not_known(name: str, version: str, bad: Path) -> None:
    bad.write_text(GOOD["rules"], encoding="utf-8")
    result = run_module(importlib.import_module(f"{PACKAGE}.{name}"), paths=[str(bad)], prometheus_version=version)
    assert result["failed"] is True
    assert result["msg"].startswith("prometheus_version: ")
    assert "3.1" in result["msg"]
    assert "\n" not in result["msg"]


def test_an_archive_of_another_format(bad: Path) -> None:
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in archive.KINDS}
    bad.write_bytes(archive.pack(archive.Backup(kinds, {"format": 99, "created": "2026-11-25T01:02:03+00:00"})))
    (said,) = told(run("backup", bad), bad)
    assert "its format is 99; this module reads 1" in said
