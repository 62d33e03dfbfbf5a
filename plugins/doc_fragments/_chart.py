# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module is told which chart, and which Helm."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  chart_ref:
    description: An OCI reference (C(oci://...)), or the path of a folder or archive.
    type: str
    required: true
  chart_version:
    description: The chart's version. A folder or archive has its own.
    type: str
  helm_binary:
    description: The C(helm) program. Without it the first on E(PATH) is taken. Helm 4 or newer is required.
    type: str
requirements:
  - helm >= 4
"""
