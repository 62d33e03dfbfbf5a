# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a dashboard shows whose it is, and that nobody has edited it since.

A tag says who manages it. The message of each of our writes carries a fingerprint of what was written and the version
that the write makes. Somebody else has written since when the last message has none, or when the dashboard has a later
version (their program has kept our message). Both survive every Grafana, which an annotation of our own does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._grafana_model.model import Json

MESSAGE_LENGTH = 500
# As a tag, with managed-by: before it, it must fit into 50 characters.
OWNER = re.compile(r"[A-Za-z0-9._-]{1,39}")


def owner_tag(owner: str) -> str:
    return f"managed-by:{owner}"


def add_owner(spec: Mapping[str, Any], owner: str) -> Json:
    """The dashboard with its owner's tag."""
    others = [tag for tag in spec.get("tags") or [] if not str(tag).startswith("managed-by:")]
    return {**spec, "tags": [*others, owner_tag(owner)]}


def is_owned(spec: Mapping[str, Any], owner: str) -> bool:
    return owner_tag(owner) in (spec.get("tags") or [])


@dataclass(frozen=True, slots=True)
class Stamp:
    """What one of our writes has left: the fingerprint of the content, and the version that it made."""

    fingerprint: str
    version: int


def stamp(message: str, owner: str, written: Stamp) -> str:
    """The message of a write, with what is written."""
    suffix = f" [{owner} {written.fingerprint} v{written.version}]"
    return (message[: MESSAGE_LENGTH - len(suffix)] + suffix).strip()


def read_stamp(message: str, owner: str) -> Stamp | None:
    """None where the message is not ours."""
    found = re.search(rf"\[{re.escape(owner)} ([0-9a-f]{{16}}) v(\d{{1,9}})\]$", message)
    return Stamp(found[1], int(found[2])) if found else None


def restamp(message: str, version: int) -> str:
    """A message as it was, for a write that makes another version: a restored dashboard is still its owner's."""
    return re.sub(r"(?<= [0-9a-f]{16} v)\d+(?=\]$)", str(version), message)
