# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP, bounded: each call has an end, an answer has a size, and repeats are few."""

from __future__ import annotations

from .api import Api, HttpError, Parsed, Query, labels, parse, text
from .deadline import NO_DEADLINE, Deadline

__all__ = ["NO_DEADLINE", "Api", "Deadline", "HttpError", "Parsed", "Query", "labels", "parse", "text"]
