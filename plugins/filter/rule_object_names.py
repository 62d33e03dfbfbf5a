# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of the objects that rule files become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._rules.object_names import NameCollisionError, object_names

DOCUMENTATION = r"""
name: rule_object_names
short_description: Names of the PrometheusRule objects that rule files become
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Says under which name module M(ias.observability.prometheus_rules) loads each file. Needs no cluster.
  - Fails when two entries would become one object.
options:
  _input:
    description: The paths of rule files.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the names
  ansible.builtin.debug:
    msg: "{{ ['search/alerts.yaml', 'billing/alerts.yaml'] | ias.observability.rule_object_names }}"
"""

RETURN = r"""
_value:
  description: The name of the object for each path.
  type: dict
"""


def rule_object_names(paths: Sequence[str]) -> dict[str, str]:
    """Wiring only."""
    try:
        return object_names([str(path) for path in paths])
    except NameCollisionError as error:
        raise AnsibleFilterError(f"Rule files cannot be loaded: {error}") from error


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rule_object_names": rule_object_names}
