# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PromQL: parse an expression, walk its tree, print it again. Standard library only."""

from __future__ import annotations

from .errors import PromQLError
from .parser import parse
from .printer import to_text
from .profile import Profile

__all__ = ["Profile", "PromQLError", "parse", "to_text"]
