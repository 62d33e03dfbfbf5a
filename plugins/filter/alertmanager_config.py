# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add what a site sends to, to a routing that names receivers only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._alertmanager.receivers import ReceiverError, configured

DOCUMENTATION = r"""
name: alertmanager_config
short_description: Add integrations to the receivers of an Alertmanager configuration
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Takes a configuration of Alertmanager whose receivers have names only, and adds to each what it sends to.
  - Addresses and keys are never in the result; it names the files of mounted Secrets that hold them.
options:
  _input:
    description: The configuration.
    type: dict
    required: true
  integrations:
    description:
      - What the receivers send to. Each has C(name) (the receiver's), C(type) (C(webhook), C(slack), C(pagerduty) or
        C(email)), C(secret) and C(key) (of the Secret), for C(slack) the C(channel), for C(email) C(to), C(from),
        C(smarthost) and where the server asks who it is C(username).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what Alertmanager would read
  ansible.builtin.debug:
    msg: "{{ routing | ias.observability.alertmanager_config(integrations) }}"
  vars:
    routing: "{{ lookup('ias.observability.merged_yaml', 'contracts/alertmanager.yaml') }}"
    integrations:
      - {name: page, type: pagerduty, secret: pagerduty}
      - {name: ticket, type: slack, secret: slack, channel: "#tickets"}
"""

RETURN = r"""
_value:
  description: The configuration with the integrations in it.
  type: dict
"""


def alertmanager_config(routing: Mapping[str, Any], integrations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Wiring only."""
    try:
        return configured(routing, integrations)
    except ReceiverError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"alertmanager_config": alertmanager_config}
