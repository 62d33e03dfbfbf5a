# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Ansible module that takes the credentials that kubernetes.core's modules take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import (
    extract_sensitive_values_from_kubeconfig,
)

from .arguments import AUTH_ARGS


def kube_module(arguments: Mapping[str, Any], **options: Any) -> AnsibleModule:
    """Secrets of a kubeconfig that is given inline, instead of as a path, are kept out of every output."""
    module = AnsibleModule(argument_spec={**AUTH_ARGS, **arguments}, **options)
    if isinstance(module.params["kubeconfig"], dict):
        module.no_log_values.update(extract_sensitive_values_from_kubeconfig(module.params["kubeconfig"]))
    return module


def shown(module: AnsibleModule, *hidden: str) -> dict[str, Any]:
    """A module's invocation for its result, without the parameters that may hold secrets deep inside."""
    return {"module_args": {name: value for name, value in module.params.items() if name not in hidden}}
