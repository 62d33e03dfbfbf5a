# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics and labels that versions of an exporter call otherwise."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._contract.load import load
from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._findings import Report

CONTRACT = """\
services:
  box:
    metrics:
      use_ratio:
        type: gauge
        unit: ratio
        labels: {host: {max: 9, aliases: [Host]}}
        aliases: {use_percent: 0.01, use: 1}
        record: box:use:ratio
"""


def loaded(text: str) -> tuple[Contract, list[str]]:
    report = Report("c")
    return load("c", text, report), [finding.message for finding in report.findings]


def test_a_metric_is_known_by_its_other_names_and_its_record() -> None:
    contract, wrong = loaded(CONTRACT)
    assert wrong == []
    assert {name: metric.unit for name, metric in contract.metrics.items()} == {
        "use_ratio": "ratio",
        "use_percent": "",
        "use": "ratio",
        "box:use:ratio": "ratio",
    }
    assert set(contract.metrics["use_percent"].labels) == {"host", "Host"}
    assert set(contract.metrics["box:use:ratio"].labels) == {"host"}
    names = {name: (spec.alias_of, spec.optional) for name, spec in contract.services["box"].metrics.items()}
    assert names == {"use_ratio": ("", False), "use_percent": ("use_ratio", True), "use": ("use_ratio", True)}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "        record: box:use:ratio\n",
            "",
            "metric 'use_ratio' has an alias with a factor and no record",
        ),
        ("type: gauge", "type: histogram", "metric 'use_ratio' is a histogram: only a gauge has a record"),
        (
            "0.01",
            "percent",
            "alias 'use_percent' of metric 'use_ratio' needs a number",
        ),
        ("0.01", "-1", "alias 'use_percent' of metric 'use_ratio' needs a number"),
    ],
)
def test_what_is_wrong_with_other_names(before: str, after: str, said: str) -> None:
    assert any(message.startswith(said) for message in loaded(CONTRACT.replace(before, after))[1])
