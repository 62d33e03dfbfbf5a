# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How every module that has findings ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ._findings import Finding, Severity, failed, failure_message
from ._printable import printable, printable_tree


class Module(Protocol):
    """The part of AnsibleModule that is needed to read options and to end."""

    params: dict[str, Any]

    def exit_json(self, **kwargs: Any) -> Any: ...
    def fail_json(self, msg: str, **kwargs: Any) -> Any: ...


def end(module: Module, what: str, findings: Iterable[Finding], fail_on: Severity = "error", **result: Any) -> None:
    """End the module: failed, saying `what` and every finding, when one is at least as severe as `fail_on`."""
    found = list(findings)
    result = {"changed": False, **result, "findings": [printable_tree(finding.as_dict()) for finding in found]}
    if failed(found, fail_on):
        module.fail_json(msg=printable(failure_message(what, found)), **result)
    module.exit_json(**result)
