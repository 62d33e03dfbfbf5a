# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks for what, found by searching the texts of the contracts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._dashboards.compile.variables import QUERIES
from tools import yaml_text

CONTRACTS = Path(__file__).resolve().parents[4] / "contracts"
RULES = tuple(CONTRACTS / name for name in ("records.yaml", "alerts.yaml", "slo-alerts.yaml"))
DASHBOARDS = tuple(sorted((CONTRACTS / "dashboards").glob("*.yaml")))

Broken = tuple[str, str]
"""File, and the panel's title, `variable <name>`, or which of the file's rules it is with its name."""


@cache
def load(path: Path) -> Any:
    return yaml_text.load(path.read_text())


def token(metric: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w:]){re.escape(metric)}(?:_bucket|_sum|_count)?(?!:?\w)")


@cache
def metrics_asked() -> list[tuple[Broken, str]]:
    """Every text that Prometheus is asked with, and by whom; objectives follow services.yaml by themselves."""
    variables = (
        ((path.name, f"variable {name}"), QUERIES.get(name, ("", ""))[1])
        for path in DASHBOARDS
        for name in load(path)["variables"]
    )
    return [*in_rules(), *variables, *in_panels("prometheus")]


def in_rules() -> Iterator[tuple[Broken, str]]:
    for path in RULES:
        listed = [rule for group in load(path)["groups"] for rule in group["rules"]]
        for number, rule in enumerate(listed, 1):
            yield (path.name, f"{number} {rule.get('alert') or rule['record']}"), rule["expr"]


@cache
def in_panels(source: str) -> list[tuple[Broken, str]]:
    return [
        ((path.name, panel["title"]), query.get("expr", ""))
        for path in DASHBOARDS
        for row in load(path)["rows"]
        for panel in row["panels"]
        for query in panel["queries"]
        if query.get("source", "prometheus") == source
    ]


def users(metric: str) -> set[Broken]:
    return {who for who, text in metrics_asked() if metric in text and token(metric).search(text)}


@cache
def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()
