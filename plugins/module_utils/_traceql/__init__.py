# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TraceQL: check a query of Tempo, and what it refers to. Standard library only."""

from __future__ import annotations

from .parser import Query, TraceQLError, parse

__all__ = ["Query", "TraceQLError", "parse"]
