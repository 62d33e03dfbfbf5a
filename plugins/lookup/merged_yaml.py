# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read YAML files and lay them upon each other."""

from __future__ import annotations

DOCUMENTATION = r"""
name: merged_yaml
short_description: Read YAML files and lay them upon each other
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Reads mappings from YAML files on the controller and merges them as Helm merges values files. Mappings are merged,
    everything else is replaced by what comes later.
  - Scalars mean what they mean to Helm. C(17:00) and C(2026-01-01) are texts, C(1e6) and C(0o17) are numbers, C(y) is
    true. Keys are texts.
  - A file that is missing, not YAML, not a mapping or has a key twice fails with one message that names it.
  - What is read is data. Braces in it (Go templates, legend formats) are left alone.
options:
  _terms:
    description: The files, the least important first.
    required: true
"""

EXAMPLES = r"""
- name: Show what Helm would be given
  ansible.builtin.debug:
    msg: "{{ lookup('ias.observability.merged_yaml', 'values.yaml', 'values-prod.yaml') }}"
"""

RETURN = r"""
_list:
  description: One mapping.
  type: list
  elements: dict
"""

import functools
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..module_utils._values.merge import ValuesError, load, merge


class LookupModule(LookupBase):
    """Wiring only."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        try:
            return [functools.reduce(merge, map(load, terms), {})]
        except ValuesError as error:
            raise AnsibleError(str(error)) from error
