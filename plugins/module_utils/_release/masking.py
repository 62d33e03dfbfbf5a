# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values taken out of what Helm says of them: a schema's pattern and a template's `fail` repeat what they refuse."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "***"
_SHORTEST = 4
"""A shorter text gives nothing away, and is part of every message."""


def masked(text: str, values: Mapping[str, Any], public: frozenset[str] = frozenset()) -> str:
    """The text without any value, however Helm writes it; `public` are texts that may stay."""
    found = {form for leaf in _leaves(values) for form in _forms(leaf) if len(form) >= _SHORTEST} - public
    if not found:
        return text
    longest_first = sorted(found, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), MASK, text)


def _leaves(root: Any) -> Iterator[str | int | float]:
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, Mapping):
            pending += node.values()
        elif isinstance(node, list):
            pending += node
        elif isinstance(node, str | int | float) and not isinstance(node, bool):
            yield node


def _forms(leaf: str | int | float) -> Iterator[str]:
    """As it is, in quotes, by line, in base64; a number as Go writes it."""
    if isinstance(leaf, str):
        yield from (leaf, leaf.strip(), *(line.strip() for line in leaf.splitlines()))
        yield from (json.dumps(leaf, ensure_ascii=escaped)[1:-1] for escaped in (True, False))
        yield base64.b64encode(leaf.encode("utf-8", "replace")).decode()
    else:
        yield str(leaf)
        mantissa, _e, exponent = f"{leaf:.16e}".partition("e")
        yield f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent):+03d}"
        yield repr(float(leaf)).removesuffix(".0")
