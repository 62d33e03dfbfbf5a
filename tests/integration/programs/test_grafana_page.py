# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of docs/grafana.md run as they are written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.grafana.testing import running_double

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "grafana.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.yml").write_text(block, encoding="utf-8")
    (tmp_path / "dashboards").mkdir()
    spec = {"uid": "search-latency", "title": "Search latency", "schemaVersion": 39, "panels": []}
    (tmp_path / "dashboards" / "latency.json").write_text(json.dumps(spec), encoding="utf-8")
    return tmp_path


def test_the_playbooks_run(folder: Path) -> None:
    with running_double() as double:
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "GRAFANA_URL": double.url,
            "GRAFANA_USER": double.user,
            "GRAFANA_PASSWORD": double.password,
        }
        books = sorted(folder.glob("*.yml"))
        assert len(books) == 2
        program = Path(sys.executable).parent / "ansible-playbook"
        done = subprocess.run(
            [program, "-i", "localhost,", *books],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        assert double.store.get("dashboards", "search-latency") is not None
    assert len(list((folder / "backups").iterdir())) == 1
