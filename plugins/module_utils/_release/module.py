# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module that handles a release begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._kube.errors import KubeError
from .._kube.module import kube_module

CHART_ARGS: Mapping[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart_ref": {"type": "str", "required": True},
    "chart_version": {"type": "str"},
    "values": {"type": "dict", "default": {}},
    "helm_binary": {"type": "str"},
}
"""A release, the chart that it is made of, and Helm."""


def run(arguments: Mapping[str, Any], act: Callable[[AnsibleModule], dict[str, Any]]) -> None:
    """End the module with what `act` returns, or with one message that names the release."""
    # Values may hold secrets anywhere: neither the log on the host nor the result shows them.
    module = kube_module(arguments, hidden=("values",), supports_check_mode=True, no_log=True)
    try:
        result = act(module)
    except KubeError as error:
        module.fail_json(msg=f"release {module.params['name']}: {error}")
    module.exit_json(**result)
