# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed access to a Kubernetes API: connect once, ask for JSON, tunnel to a service without kubectl."""

from __future__ import annotations

from .client import AUTH_ARGS, Cluster, connect
from .errors import ApiError, KubeError
from .tunnel import Tunnel, forward

__all__ = ["AUTH_ARGS", "ApiError", "Cluster", "KubeError", "Tunnel", "connect", "forward"]
