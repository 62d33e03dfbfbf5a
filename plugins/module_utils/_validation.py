# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that read files and return findings have in common: options, and how they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._ending import Module, end
from ._findings import Finding, summary
from ._promql import Profile
from ._promql.literals import parse_duration
from ._waivers import waive

VALIDATION_ARGS: dict[str, Any] = {"waivers": {"type": "path"}}
CONTRACT_ARGS: dict[str, Any] = {"contract": {"type": "path"}}
PROMETHEUS_ARGS: dict[str, Any] = {"prometheus_version": {"type": "str", "default": "3.14"}}
SCRAPE_ARGS: dict[str, Any] = {"scrape_interval": {"type": "str", "default": "30s"}}


def profile(module: Module) -> Profile:
    """The Prometheus that PROMETHEUS_ARGS name, and `prometheus_features` where the module has them."""
    try:
        return Profile.of(module.params["prometheus_version"], module.params.get("prometheus_features") or ())
    except ValueError as error:
        module.fail_json(msg=f"prometheus_version: {error}")
        raise


def scrape_interval(module: Module) -> float:
    """The option of SCRAPE_ARGS, in seconds."""
    written = str(module.params["scrape_interval"])
    try:
        seconds = parse_duration(written)
    except ValueError:
        seconds = 0.0
    if not seconds:
        module.fail_json(msg=f"scrape_interval must be a duration such as 15s or 1m, not {written!r}")
    return seconds


def finish(
    module: Module, what: str, findings: Iterable[Finding], counts: Mapping[str, int], facts: Mapping[str, object]
) -> None:
    """Let through what is waived and end the module: failed, saying `what` and every error, when there is one."""
    left, waived = list(findings), list[Finding]()
    if module.params["waivers"]:
        left, waived = waive(left, module.params["waivers"])
    counted = {**summary(left), **counts}
    end(module, what, left, waived=[finding.as_dict() for finding in waived], summary=counted, **facts)
