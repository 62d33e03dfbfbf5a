# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards of a user's own, which lie beside the compiled ones as Grafana's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.ias.observability.plugins.module_utils._dashboards.check import check as check_dashboards
from ansible_collections.ias.observability.plugins.module_utils._dashboards.queries import Reader
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._sources import Source


def check(own: Iterable[Source], compiled: Iterable[Source]) -> Iterator[Finding]:
    """Errors in them, a uid of a compiled dashboard too; their metrics are not compared with the contract."""
    own = list(own)
    if own:
        names = {source.path for source in own}
        findings, _queries = check_dashboards([*compiled, *own], Reader(Profile()))
        yield from (finding for finding in findings if finding.severity == "error" and finding.file in names)
