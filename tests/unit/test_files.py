# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files whose size is not the one that they tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _files


@pytest.mark.parametrize("told", [0, 3, 9, 20])
def test_all_of_a_file_is_read_whatever_size_it_tells(
    told: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("123456789", encoding="utf-8")
    monkeypatch.setattr(_files, "check_regular", lambda _path: told)
    assert _files.read_text(path) == "123456789"


@pytest.mark.parametrize("told", [0, 8])
def test_no_more_is_read_than_is_taken_in(told: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("123456789", encoding="utf-8")
    monkeypatch.setattr(_files, "check_regular", lambda _path: told)
    monkeypatch.setattr(_files, "MAX_BYTES", 8)
    with pytest.raises(_files.UnreadableError, match="more than"):
        _files.read_text(path)
