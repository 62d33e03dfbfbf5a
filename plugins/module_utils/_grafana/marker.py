# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a dashboard shows whose it is, and that nobody has edited it since.

A tag says who manages it. The message of each of our writes carries a fingerprint of what was written: when the last
message has none, somebody else has written since. Both survive every Grafana, which an annotation of our own does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .client import Json

MESSAGE_LENGTH = 500


def tag(owner: str) -> str:
    return f"managed-by:{owner}"


def mark(spec: Mapping[str, Any], owner: str) -> Json:
    """The dashboard with its owner's tag."""
    others = [one for one in spec.get("tags") or [] if not str(one).startswith("managed-by:")]
    return {**spec, "tags": [*others, tag(owner)]}


def is_owned(spec: Mapping[str, Any], owner: str) -> bool:
    return tag(owner) in (spec.get("tags") or [])


def sign(message: str, owner: str, fingerprint: str) -> str:
    """The message of a write, with the fingerprint of what is written."""
    signature = f" [{owner} {fingerprint}]"
    return (message[: MESSAGE_LENGTH - len(signature)] + signature).strip()


def read_signature(message: str, owner: str) -> str:
    """The fingerprint in a message; empty where the message is not ours."""
    found = re.search(rf"\[{re.escape(owner)} ([0-9a-f]{{16}})\]$", message)
    return found[1] if found else ""
