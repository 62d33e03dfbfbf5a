# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions of RE2 as Python's `re` can run them, as far as both mean the same."""

from __future__ import annotations

import re
from functools import lru_cache

_NOT_IN_PYTHON = re.compile(r"\[\[:|\\[pPQzCx]|\(\?[^:P]|\{,|[*+}]\)[*+{]")


@lru_cache(maxsize=1024)
def compiled(pattern: str, *, dot_matches_newline: bool = True) -> re.Pattern[str] | None:
    """A matcher's pattern in Python's dialect; None where that differs, or could take forever.

    A dot matches a newline in Prometheus' matchers, in Alertmanager's it does not.
    """
    if _NOT_IN_PYTHON.search(pattern):
        return None
    try:
        return re.compile(pattern, re.ASCII | (re.DOTALL if dot_matches_newline else 0))
    except re.error:
        return None
