# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of the metrics contract that a site runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._contract.running import UnknownServiceError, chosen

DOCUMENTATION = r"""
name: running_services
short_description: The services of the metrics contract that a site runs
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Takes the mapping C(services) of C(services.yaml) and leaves those that the list names, in the contract's order.
  - An empty list means all.
  - Fails when the contract does not have one of them.
positional: _input, names
options:
  _input:
    description: The services of the contract, by name.
    type: dict
    required: true
  names:
    description: The services that the site runs.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show which services of this site make spans
  ansible.builtin.debug:
    msg: "{{ services | ias.observability.running_services(['api-router', 'vllm']) | dict2items
      | selectattr('value.spans', 'defined') | map(attribute='key') }}"
  vars:
    services: "{{ lookup('ias.observability.merged_yaml', 'contracts/services.yaml').services }}"
"""

RETURN = r"""
_value:
  description: The services that run, as the contract has them.
  type: dict
"""


def running_services(services: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Wiring only."""
    try:
        return {name: services[name] for name in chosen(services, names)}
    except UnknownServiceError as error:
        raise AnsibleFilterError(f"observability_services: {error}") from error


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"running_services": running_services}
