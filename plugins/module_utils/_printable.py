# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of other programs, made fit to be shown, logged and written: no control characters, no secrets of URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters: terminals obey them, and XML forbids most
    "\u2028\u2029\u202a-\u202e\u2066-\u2069"  # they break lines, or reverse what is read
    "\ud800-\udfff\ufffe\uffff]"  # no characters: bytes of a file name, halves of a pair
)
_USERINFO = re.compile(r"(?<=://)[^/?#\s\"'<>]*@")
_SECRET = re.compile(
    r"([?&][^=&\s\"']*(?:key|token|secret|password|passwd|pwd|credentials?|auth|sig|signature|session)=)[^&\s\"'<>#]+",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+)[^\s\"']+", re.IGNORECASE)


def printable(text: str) -> str:
    """The text with escapes in place of what is no character, and without the secrets in its URLs."""
    if "://" in text:
        text = _USERINFO.sub("***@", text)
    if "=" in text:
        text = _SECRET.sub(r"\1***", text)
    if "uthorization" in text:
        text = _HEADER.sub(r"\1***", text)
    return text if text.isprintable() else _UNPRINTABLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def printable_tree(value: Any) -> Any:
    """The same value with every text in it printable, keys too."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable_tree(key): printable_tree(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable_tree(entry) for entry in value]
    return value
