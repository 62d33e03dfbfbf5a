# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of the PrometheusRule objects that rule files become: valid in Kubernetes, one for each file."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Sequence

PREFIX = "ias-platform-"
LONGEST = 63
"""Characters; more than enough to recognise a file, and a valid label value."""
_HASH = 8


class NameCollisionError(ValueError):
    """Two entries of the list would become one object; says which ones."""


def object_names(paths: Sequence[str]) -> dict[str, str]:
    """The object's name for each path.

    A name is the file's own (`alerts.yaml`: `ias-platform-alerts`), whichever folder the files lie in, with as many
    folders before it as tell it from the others. A hash follows what had to be changed to be a name.
    Raises NameCollisionError.
    """
    parts = {path: tuple(posixpath.normpath(path).split("/")) for path in paths}
    repeated = [path for path, count in Counter(posixpath.normpath(path) for path in paths).items() if count > 1]
    if repeated:
        raise NameCollisionError(f"{', '.join(repeated)}: listed more than once")
    names = {path: object_name(_shortest_tail(own, list(parts.values()))) for path, own in parts.items()}
    taken = Counter(names.values())
    if double := [path for path, name in names.items() if taken[name] > 1]:
        raise NameCollisionError(f"{', '.join(double)} would become one object, {names[double[0]]}: rename one of them")
    return names


def object_name(file: str) -> str:
    """The name of one file, which may have folders before it."""
    stem = file.removesuffix(".yaml")
    plain = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    if plain and plain == stem and len(PREFIX) + len(plain) <= LONGEST:
        return PREFIX + plain
    digest = hashlib.sha256(file.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
    room = LONGEST - len(PREFIX) - _HASH - 1
    return f"{PREFIX}{plain[:room].strip('-') or 'rules'}-{digest}"


def _shortest_tail(own: tuple[str, ...], every: Sequence[tuple[str, ...]]) -> str:
    """The last parts of a path, as few as no other path ends with."""
    for count in range(1, len(own)):
        if sum(other[-count:] == own[-count:] for other in every) == 1:
            return "/".join(own[-count:])
    return "/".join(own)
