# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all proofs have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - Seconds to wait until nothing is wrong any more. The module ends within a second of it, whatever the servers do.
      - With V(0) there is one check, which may take 30 seconds.
      - Where something is wrong, its causes are looked up in the cluster for at most 5 seconds more.
      - An API server of Kubernetes that has not answered once is waited for 10 seconds only.
    type: int
    default: 120
  interval:
    description: Seconds between two checks.
    type: int
    default: 5
requirements:
  - python >= 3.11
  - kubernetes >= 24.2
  - urllib3 >= 2
"""
