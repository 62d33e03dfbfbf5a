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
from ._waivers import waive

VALIDATION_ARGS: dict[str, Any] = {"waivers": {"type": "path"}}
CONTRACT_ARGS: dict[str, Any] = {"contract": {"type": "path"}}
PROMETHEUS_ARGS: dict[str, Any] = {"prometheus_version": {"type": "str", "default": "3.14"}}


def profile(module: Module) -> Profile:
    """The Prometheus that PROMETHEUS_ARGS name, and `prometheus_features` where the module has them."""
    try:
        return Profile.of(module.params["prometheus_version"], module.params.get("prometheus_features") or ())
    except ValueError as error:
        module.fail_json(msg=f"prometheus_version: {error}")
        raise


def finish(
    module: Module, what: str, findings: Iterable[Finding], counts: Mapping[str, int], facts: Mapping[str, object]
) -> None:
    """Let through what is waived and end the module: failed, saying `what` and every error, when there is one."""
    left, waived = list(findings), list[Finding]()
    if module.params["waivers"]:
        left, waived = waive(left, module.params["waivers"])
    counted = {**summary(left), **counts}
    end(module, what, left, waived=[finding.as_dict() for finding in waived], summary=counted, **facts)
