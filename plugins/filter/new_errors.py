# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change broke."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..module_utils._release.regressions import new_errors

DOCUMENTATION = r"""
name: new_errors
short_description: The errors of proofs that were not there before
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Compares what modules such as M(ias.observability.scrape_targets_verify) returned after a change with what they
    returned before it. An error is known by its id and its object; its words may change.
  - A result without findings and with a message is one of a module that could not look, which is an error too.
options:
  _input:
    description: The results after the change.
    type: list
    elements: dict
    required: true
  before:
    description: The results of the same modules, in the same order, before the change.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when the change broke something
  ansible.builtin.assert:
    that: broken | length == 0
    fail_msg: "{{ broken | join('; ') }}"
  vars:
    broken: "{{ [targets, logs] | ias.observability.new_errors([targets_before, logs_before]) }}"
"""

RETURN = r"""
_value:
  description: A line for each, object first; ten at most.
  type: list
  elements: str
"""


def new_errors_after(after: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> list[str]:
    """Wiring only."""
    return new_errors(before, after)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"new_errors": new_errors_after}
