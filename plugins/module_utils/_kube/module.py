# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Ansible module that takes the credentials that kubernetes.core's modules take, and keeps them to itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._printable import printable, printable_tree
from .arguments import AUTH_ARGS

_SECRET_KEY = re.compile(r"token|password|secret|api_key|(?:key|certificate|authority)-data", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(rf"(?:{_SECRET_KEY.pattern})[\w-]*[\"']?\s*:\s*[\"']?([^\s\"',}}]+)", re.IGNORECASE)
_SHORTEST_SECRET = 6
"""To hide shorter ones would hide words of every message."""


class KubeModule(AnsibleModule):  # type: ignore[misc]
    """Knows the secrets of an inline kubeconfig before anything is logged, and which parameters no result shows."""

    def __init__(self, arguments: Mapping[str, Any], hidden: Collection[str] = (), **options: Any) -> None:
        self._hidden = frozenset(hidden)
        super().__init__(argument_spec={**AUTH_ARGS, **arguments}, **options)

    def _load_params(self) -> None:
        super()._load_params()
        self.no_log_values.update(secrets_of(self.params.get("kubeconfig")))

    def exit_json(self, **result: Any) -> Any:
        super().exit_json(invocation=redacted_invocation(self.params, self._hidden), **result)

    def fail_json(self, msg: str, **result: Any) -> Any:
        super().fail_json(printable(msg), invocation=redacted_invocation(self.params, self._hidden), **result)


def kube_module(arguments: Mapping[str, Any], **options: Any) -> AnsibleModule:
    """A module with these arguments and those of the Kubernetes credentials; `hidden` are shown in no result."""
    return KubeModule(arguments, **options)


def redacted_invocation(params: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """What a result says of how the module was called."""
    return {"module_args": printable_tree({name: value for name, value in params.items() if name not in hidden})}


def secrets_of(kubeconfig: Any) -> set[str]:
    """What an inline kubeconfig must not show, whether it is a mapping or a text that was taken for a path."""
    if isinstance(kubeconfig, str):
        found = {kubeconfig, *_SECRET_IN_TEXT.findall(kubeconfig)} if "\n" in kubeconfig or "{" in kubeconfig else set()
    else:
        found = set(_secrets(kubeconfig))
    return {text for text in found if len(text) >= _SHORTEST_SECRET}


def _secrets(node: Any, key: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        # a program's environment is a list of names and values
        named = "value" in node and "name" in node
        for name, child in node.items():
            yield from _secrets(child, "secret" if named and name == "value" else str(name))
    elif isinstance(node, list):
        for child in node:
            yield from _secrets(child, key)
    elif isinstance(node, str) and _SECRET_KEY.search(key):
        yield node
