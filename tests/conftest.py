# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference data beside the checkout (key lists of the real charts, labelled corpora): IAS_SHARED, or ../shared.

    A user's checkout has none: there the test is skipped. CI must have it.
    """
    folder = Path(os.environ.get("IAS_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        message = f"no reference data at {folder} (set IAS_SHARED)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def collector_off() -> Iterator[None]:
    """For measurements: a full collection walks what a thousand earlier tests left."""
    gc.disable()
    yield
    gc.enable()
