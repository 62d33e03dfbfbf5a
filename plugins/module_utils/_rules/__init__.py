# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerting and recording rules: text in, findings out. Pure functions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # and for Ansible, which packs what is imported anywhere
    from . import contract, coverage, lint_contract, lint_routing, pair, promtool, routing_config, unit_tests, waivers

__all__ = [
    "contract",
    "coverage",
    "lint_contract",
    "lint_routing",
    "pair",
    "promtool",
    "routing_config",
    "unit_tests",
    "waivers",
]


def __getattr__(name: str) -> object:
    """What only some runs need, such as a contract, tests or waivers: the others do not wait for its import."""
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f".{name}", __name__)
