# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What few runs need is imported by those."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _rules

PACKAGE = _rules.__name__
MODULE = "ansible_collections.ias.observability.plugins.modules.alert_rules_validate"


def test_a_run_without_contract_and_tests_does_not_import_what_reads_them() -> None:
    program = (
        f"import sys, {MODULE}; print(*[name for name in {_rules.__all__} if f'{PACKAGE}.{{name}}' in sys.modules])"
    )
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", program], env=where, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


@pytest.mark.parametrize("name", _rules.__all__)
def test_they_are_there_when_asked_for(name: str) -> None:
    assert getattr(_rules, name).__name__ == f"{PACKAGE}.{name}"


def test_nothing_else_is() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _rules.__getattr__("nothing")
