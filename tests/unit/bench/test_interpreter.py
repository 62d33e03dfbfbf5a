# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.bench import interpreter
from tests.bench.measure import module, run


def test_the_hosts_python_runs_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "SYSTEM", sys.executable)
    python = interpreter.system(tmp_path)
    assert python is not None
    assert python.name == f"{interpreter.this().name.rpartition(' of ')[0]} of the system"
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"rules": {"groups": []}, "_ansible_remote_tmp": str(tmp_path)}})
    said = run(module("alert_rules_validate", python.program), arguments, **python.environment).said
    assert json.loads(said)["summary"]["files"] == 1


@pytest.mark.parametrize("program", ["import sys; sys.exit(1)", "raise ImportError('no yaml')"])
def test_one_that_cannot_run_it_is_none(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "SYSTEM", sys.executable)
    monkeypatch.setattr(interpreter, "_FITS", program)
    assert interpreter.system(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_host_without_python_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "SYSTEM", str(tmp_path / "python3"))
    assert interpreter.system(tmp_path) is None
