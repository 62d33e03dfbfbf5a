# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a component's values say that it keeps its objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils._values.object_stores import object_stores

DOCUMENTATION = r"""
name: object_stores
short_description: The S3 stores that the merged values of a component name
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Gives what module M(ias.observability.object_storage_verify) takes as
    O(ias.observability.object_storage_verify#module:stores).
    The names of Secrets and of their keys are in it, no key itself.
  - Empty where the component keeps nothing in S3, or has its keys from elsewhere than environment variables out of
    Secrets.
options:
  _input:
    description: The merged values of the component's chart.
    type: dict
    required: true
  component:
    description: The component, as in the contracts' charts.yaml.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show where Loki keeps its chunks
  ansible.builtin.debug:
    msg: "{{ lookup('ias.observability.merged_yaml', *files) | ias.observability.object_stores('loki') }}"
"""

RETURN = r"""
_value:
  description: The stores.
  type: list
  elements: dict
"""


def stores(values: Mapping[str, Any], component: str) -> list[dict[str, Any]]:
    """Wiring only."""
    return object_stores(values, component)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"object_stores": stores}
