# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which routes an alert matches, when some of its labels are known and others are not.

Every answer is True, False or None for "it depends"; with all labels known the walk is Alertmanager's own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .configuration import Route
from .matchers import Matcher

_MAX_COMBINATIONS = 64


@dataclass(frozen=True, slots=True)
class LabelSet:
    """What is known of the labels of an alert."""

    values: Mapping[str, str | None]
    """By name; "" for a label that is certainly not there, None for one that may have any value, or none."""
    others: bool = False
    """Whether there may be labels that `values` does not name."""
    facts: frozenset[Matcher] = frozenset()
    """Matchers that are known to be true of it."""

    def value(self, name: str) -> str | None:
        return self.values.get(name, None if self.others else "")

    def matches(self, matchers: Iterable[Matcher]) -> bool | None:
        depends = False
        for matcher in matchers:
            answer = self._matches(matcher)
            if answer is False:
                return False
            depends = depends or answer is None
        return None if depends else True

    def _matches(self, matcher: Matcher) -> bool | None:
        value = self.value(matcher.name)
        if value is not None:
            return matcher.accepts(value)
        if matcher in self.facts or (matcher.operator, matcher.value) == ("=~", ".*"):
            return True
        if matcher.opposite in self.facts or (matcher.operator, matcher.value) == ("!~", ".*"):
            return False
        return None

    def open_for(self, names: Iterable[str]) -> LabelSet:
        """The same, when the labels of these names may be added on the way."""
        return LabelSet({**dict.fromkeys(names), **self.values}, self.others, self.facts)


@dataclass(slots=True)
class RouteMatches:
    """The routes that match the alert, and those of them that notify their receiver, certainly or perhaps."""

    matched: dict[Route, None] = field(default_factory=dict)
    notified: list[Route] = field(default_factory=list)

    @property
    def receivers(self) -> list[str]:
        return [route.receiver for route in self.notified]


def match(root: Route, labels: LabelSet) -> RouteMatches:
    matches = RouteMatches()
    _visit(root, labels, matches)
    return matches


def _visit(route: Route, labels: LabelSet, matches: RouteMatches) -> bool | None:
    is_match = labels.matches(route.matchers)
    if is_match is False:
        return False
    matches.matched[route] = None
    is_last = True
    for below in route.routes:
        if _visit(below, labels, matches):
            is_last = False
            if not below.continue_:
                break
    if is_last:
        matches.notified.append(route)
    return is_match


def examples(matchers: Iterable[Matcher]) -> list[LabelSet]:
    """Label sets that together are all alerts with these matchers; none when they exclude each other."""
    chain = tuple(dict.fromkeys(matchers))
    choices: dict[str, list[str]] = {}
    for name in dict.fromkeys(matcher.name for matcher in chain):
        conditions = [matcher for matcher in chain if matcher.name == name]
        listed = next((values for matcher in conditions if (values := matcher.values()) is not None), None)
        if listed is not None:
            choices[name] = [
                value for value in listed if all(matcher.accepts(value) is not False for matcher in conditions)
            ]
    facts = frozenset(chain)
    if any(matcher.opposite in facts for matcher in chain):
        return []
    if math.prod(map(len, choices.values())) > _MAX_COMBINATIONS:
        return [LabelSet({}, True, facts)]
    return [
        LabelSet(dict(zip(choices, values, strict=True)), True, facts)
        for values in itertools.product(*choices.values())
    ]
