# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each threat of SECURITY.md and each fault of docs/reliability.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/reliability.md"])
def test_each_row_names_tests_that_exist(root: Path, page: str) -> None:
    lines = (root / page).read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and "| test |" not in line]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", row)
        assert named, row
        for path, test in named:
            assert f"def {test or 'test_'}" in (root / path).read_text("utf-8"), f"{path}::{test}"
