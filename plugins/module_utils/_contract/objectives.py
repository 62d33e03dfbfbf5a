# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objectives (SLO) of a service, each one a share of good events that is promised."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass

from .._yaml.reader import Reader
from .._yaml.tree import Mapping, Node, Scalar

_KEYS = ("objective", "total", "bad", "histogram", "seconds", "up")
_TYPE_OF = {"total": "counter", "histogram": "histogram", "up": "gauge"}
_BUILT_IN = {"up": "gauge"}


@dataclass(frozen=True, slots=True)
class Objective:
    """One of three: requests that are not bad; requests within some seconds; time in which a gauge is 1."""

    name: str
    """What it is about: availability, latency, time_to_first_token, inter_token_latency."""
    percent: float
    """The share of good events or of time that is promised, 0 to 100 exclusive."""
    kind: str
    """total, histogram or up: what `metric` is."""
    metric: str
    bad: tuple[tuple[str, str], ...] = ()
    """Of a total: (label, regular expression) of the events that are not good."""
    seconds: float = 0.0
    """Of a histogram: what is in time; one of its buckets."""
    line: int = 0

    @property
    def bound(self) -> str:
        """The seconds as the label `le` of a bucket has them."""
        precisions = (f"{self.seconds:.{digits}g}" for digits in range(6, 18))
        return next((text for text in precisions if float(text) == self.seconds), repr(self.seconds))

    @property
    def bucket(self) -> str:
        """The matcher of the bucket that holds what is in time. Prometheus 3 writes a whole number as 1.0."""
        pattern = self.bound.replace("+", "[+]")
        return f'le=~"{pattern}([.]0)?"' if self.seconds.is_integer() else f'le="{self.bound}"'


def read_objectives(node: Node | None, types: Map[str, str], reader: Reader) -> tuple[Objective, ...]:
    """The objectives under `slo`; types are those of the service's metrics, by name."""
    found = (_objective(name, entry, types, reader) for name, entry in reader.entries(node, "slo"))
    return tuple(objective for objective in found if objective is not None)


def _objective(name: str, node: Node, types: Map[str, str], reader: Reader) -> Objective | None:
    if not isinstance(node, Mapping):
        reader.error(f"slo.{name} is a mapping", node)
        return None
    reader.known_keys(node, _KEYS)
    percent = _number(node.get("objective"))
    if not 0 < percent < 100:
        reader.error(f"slo.{name} needs an objective in percent, above 0 and below 100", node.get("objective") or node)
        return None
    kinds = [kind for kind in _TYPE_OF if node.get(kind) is not None]
    if len(kinds) != 1:
        reader.error(f"slo.{name} needs one of {', '.join(_TYPE_OF)}", node)
        return None
    metric = node.get(kinds[0])
    value = metric.value if isinstance(metric, Scalar) else ""
    of_type = {**_BUILT_IN, **types}.get(value)
    if of_type != _TYPE_OF[kinds[0]]:
        what = "the service declares no such metric" if of_type is None else f"it is a {of_type}"
        reader.error(f"slo.{name}: {kinds[0]} is a {_TYPE_OF[kinds[0]]} of the service, not {value!r}: {what}", metric)
        return None
    bad = tuple((label, v.value) for label, v in reader.entries(node.get("bad"), "bad") if isinstance(v, Scalar))
    seconds = _number(node.get("seconds"))
    if (kinds[0] == "total") != bool(bad) or (kinds[0] == "histogram") != (seconds > 0):
        reader.error(f"slo.{name}: a total has `bad`, a histogram has `seconds`, and nothing else has them", node)
        return None
    return Objective(name, percent, kinds[0], value, bad, seconds, node.line)


def _number(node: Node | None) -> float:
    """0 for what is no number."""
    return float(node.value) if isinstance(node, Scalar) and node.is_number and "_" not in node.value else 0.0
