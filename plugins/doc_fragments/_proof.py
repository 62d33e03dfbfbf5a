# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all proofs have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  timeout:
    description: Seconds to wait until nothing is wrong any more.
    type: int
    default: 120
  interval:
    description: Seconds between two looks.
    type: int
    default: 5
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - urllib3 >= 2
"""
