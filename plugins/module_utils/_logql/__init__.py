# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LogQL: parse a query of Loki 3. Standard library only."""

from __future__ import annotations

from .parser import LogQLError, parse

__all__ = ["LogQLError", "parse"]
