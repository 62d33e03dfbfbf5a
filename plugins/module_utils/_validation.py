# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that read files and return findings have in common: options, and how they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ._findings import Finding, failed, failure_message, summary
from ._promql import Profile
from ._waivers import waive

VALIDATION_ARGS: dict[str, Any] = {"waivers": {"type": "path"}}
CONTRACT_ARGS: dict[str, Any] = {"contract": {"type": "path"}}
PROMETHEUS_ARGS: dict[str, Any] = {"prometheus_version": {"type": "str", "default": "3.14"}}


class Module(Protocol):
    """The part of AnsibleModule that a validator uses."""

    params: dict[str, Any]

    def exit_json(self, **kwargs: Any) -> Any: ...
    def fail_json(self, msg: str, **kwargs: Any) -> Any: ...


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
    result: dict[str, Any] = {
        "findings": [finding.as_dict() for finding in left],
        "waived": [finding.as_dict() for finding in waived],
        "summary": {**summary(left), **counts},
        **facts,
    }
    if failed(left):
        errors = [finding for finding in left if finding.severity == "error"]
        module.fail_json(msg=failure_message(what, errors), **result)
    module.exit_json(changed=False, **result)
