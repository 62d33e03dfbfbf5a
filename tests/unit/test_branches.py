# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge of `make coverage`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import branches


@pytest.mark.parametrize(("percent", "code"), [(95.0, 0), (94.99, 1)])
def test_fails_below_the_floor_and_names_the_files(
    percent: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = {
        "totals": {"percent_branches_covered": percent, "num_branches": 200},
        "files": {
            "whole.py": {"missing_branches": []},
            "less.py": {"missing_branches": [[1, 2]]},
            "more.py": {"missing_branches": [[1, 2], [3, -1]]},
        },
    }
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps(report))
    monkeypatch.setattr(branches, "REPORT", path)
    assert branches.main() == code
    assert capsys.readouterr().out.splitlines() == [
        "    2 branches not taken in more.py",
        "    1 branches not taken in less.py",
        f"{percent:.2f} % of 200 branches (at least 95 %)",
    ]
