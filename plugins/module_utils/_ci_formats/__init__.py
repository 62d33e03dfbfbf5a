# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings in the formats that CI systems read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .._findings import Finding, Severity
from .github import github
from .junit import junit
from .sarif import sarif

Writer = Callable[[Sequence[Finding], Severity], str]
"""The text of a file, of findings whose files are relative to the root of the sources; second, what fails the build."""

FORMATS: Mapping[str, Writer] = {
    "github": lambda findings, _fail_on: github(findings),
    "junit": junit,
    "sarif": lambda findings, _fail_on: sarif(findings),
}
