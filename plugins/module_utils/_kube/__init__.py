# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed access to a Kubernetes API: connect once, ask for JSON, tunnel to a service without kubectl."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .arguments import AUTH_ARGS
from .errors import ApiError, KubeError, SetupError, UnreachableError

if TYPE_CHECKING:  # and for Ansible, which packs what is imported anywhere
    from .client import Cluster, authorization, connect
    from .tunnel import Tunnel, dial, forward, forward_each, forward_pod, ready_endpoints

__all__ = [
    "AUTH_ARGS",
    "ApiError",
    "Cluster",
    "KubeError",
    "SetupError",
    "Tunnel",
    "UnreachableError",
    "authorization",
    "connect",
    "dial",
    "forward",
    "forward_each",
    "forward_pod",
    "ready_endpoints",
]

LATE = {
    "Cluster": ".client",
    "authorization": ".client",
    "connect": ".client",
    "Tunnel": ".tunnel",
    "dial": ".tunnel",
    "forward": ".tunnel",
    "forward_each": ".tunnel",
    "forward_pod": ".tunnel",
    "ready_endpoints": ".tunnel",
}


def __getattr__(name: str) -> object:
    """The Kubernetes client takes most of a second to import, and a module that was given a URL needs none of it."""
    if name not in LATE:
        raise AttributeError(name)
    return getattr(import_module(LATE[name], __name__), name)
