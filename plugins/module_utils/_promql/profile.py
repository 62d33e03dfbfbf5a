# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Prometheus is meant: its version and the features that are switched on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

EXPERIMENTAL_FUNCTIONS = "promql-experimental-functions"
DURATION_EXPRESSIONS = "promql-duration-expr"
EXTENDED_RANGES = "promql-extended-range-selectors"
FILL_MODIFIERS = "promql-binop-fill-modifiers"
FEATURES = frozenset({EXPERIMENTAL_FUNCTIONS, DURATION_EXPRESSIONS, EXTENDED_RANGES, FILL_MODIFIERS})

OLDEST, NEWEST, DEFAULT = (3, 5), (3, 16), (3, 14)

_VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:[.+-][0-9A-Za-z.+-]*)?")


class Profile(NamedTuple):
    """A Prometheus 3 server: (major, minor) and the values of its `--enable-feature`."""

    version: tuple[int, int] = DEFAULT
    features: frozenset[str] = frozenset()

    @classmethod
    def of(cls, version: str, features: Iterable[str] = ()) -> Profile:
        """The profile of a version as people write it ("v3.14.0", "3.5"); ValueError says what is wrong."""
        match = _VERSION.fullmatch(version.strip())
        if match is None:
            raise ValueError(f"{version!r} is not a Prometheus version such as 3.14 or v3.14.0")
        parsed = int(match[1]), int(match[2])
        if parsed < OLDEST or parsed[0] != OLDEST[0]:
            raise ValueError(
                f"Prometheus {version} is not known here: 3.{OLDEST[1]} to 3.{NEWEST[1]} are"
                " (a newer 3.x is judged as the newest known)"
            )
        unknown = sorted(set(features) - FEATURES)
        if unknown:
            raise ValueError(f"unknown PromQL feature {unknown[0]!r}: known are {', '.join(sorted(FEATURES))}")
        return cls(parsed, frozenset(features))

    def allows(self, feature: str) -> bool:
        """True when the feature is switched on, or always on in this version."""
        return feature in self.features or self.version >= _ALWAYS_ON.get(feature, (99, 0))

    def knows(self, since: tuple[int, int]) -> bool:
        return self.version >= since


_ALWAYS_ON = {DURATION_EXPRESSIONS: (3, 14), EXTENDED_RANGES: (3, 16)}
