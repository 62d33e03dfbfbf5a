# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples out of the text of /metrics."""

from __future__ import annotations

from ansible_collections.ias.observability.plugins.module_utils._exposition import Sample, samples

METRICS = """\
# HELP lines_total Lines.
# TYPE lines_total counter
lines_total{path="/var/log/a \\"b\\".log",reason="x"} 12 1730000000000
lines_total 1e+06
lines_totals 3
other{path="lines_total 4"} 5
lines_total{path="a"} NaN
lines_total{path="a"} no number
"""


def test_the_samples_of_a_name() -> None:
    assert list(samples(METRICS, {"lines_total"})) == [
        Sample("lines_total", {"path": '/var/log/a "b".log', "reason": "x"}, 12),
        Sample("lines_total", {}, 1e6),
    ]
