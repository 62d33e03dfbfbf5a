# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager's configuration, the part that decides who is notified: routes, receivers, inhibition.

What Alertmanager would refuse in that part is an error. What integrations, templates and time intervals hold is not
looked at: `amtool check-config` is for that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .._files import MAX_BYTES
from .._findings import Report, did_you_mean
from .._promql.literals import parse_duration
from .._rules.model import Place
from .._yaml.reader import Reader, is_null
from .._yaml.tree import Mapping, Node, Scalar, Sequence
from .matchers import Matcher, MatcherError, matcher, parse

_ROOT = (
    *("global", "route", "inhibit_rules", "receivers", "templates"),
    *("mute_time_intervals", "time_intervals", "tracing"),
)
_DURATIONS = ("group_wait", "group_interval", "repeat_interval")
_INTERVALS = ("mute_time_intervals", "active_time_intervals")
_ROUTE = (
    *("receiver", "group_by", "match", "match_re", "matchers", "continue", "routes", "labels"),
    *_DURATIONS,
    *_INTERVALS,
)
_INHIBITION = (
    *("name", "equal", "source_match", "source_match_re", "source_matchers"),
    *("target_match", "target_match_re", "target_matchers"),
)
_INTEGRATIONS = tuple(
    f"{name}_configs"
    for name in (
        *("discord", "email", "incidentio", "jira", "mattermost", "msteams", "msteamsv2", "opsgenie", "pagerduty"),
        *("pushover", "rocketchat", "slack", "sns", "telegram", "victorops", "webex", "webhook", "wechat"),
    )
)
_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})
_CLASSIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(slots=True, eq=False)
class Route:
    """A node of the tree. `receiver` is its own or the one that it inherits."""

    path: str
    place: Place
    receiver: str
    parent: Route | None = None
    matchers: tuple[Matcher, ...] = ()
    continue_: bool = False
    """`continue`: an alert that matches is tried on the next route as well."""
    routes: list[Route] = field(default_factory=list)

    @property
    def chain(self) -> tuple[Matcher, ...]:
        """The matchers of the route and of all above it."""
        return (*(self.parent.chain if self.parent is not None else ()), *self.matchers)

    def __str__(self) -> str:
        return f"{self.path} (line {self.place[0]})"


@dataclass(frozen=True, slots=True)
class Receiver:
    name: str
    place: Place
    has_integration: bool
    """Whether it sends to anything."""


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While a source fires, targets with the same values of the `equal` labels are not notified."""

    path: str
    place: Place
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]


@dataclass(slots=True)
class Routing:
    file: str
    root: Route
    receivers: dict[str, Receiver]
    inhibitions: list[InhibitRule]

    def routes(self) -> Iterator[Route]:
        """All routes, each before those below it."""
        stack = [self.root]
        while stack:
            route = stack.pop()
            yield route
            stack += reversed(route.routes)


def load(path: str, content: str, report: Report) -> Routing | None:
    """What the text says; None when Alertmanager would not load it, and then there is an error in the report."""
    report.file = path
    before = len(report.findings)
    reader = _Reader(report, "rules/routing-config", "see the documentation of Alertmanager's configuration")
    routing = reader.read(path, content)
    is_fit = all(finding.severity != "error" for finding in report.findings[before:])
    return routing if is_fit else None


class _Reader(Reader):
    def read(self, path: str, content: str) -> Routing | None:
        what = "an Alertmanager configuration is a mapping with `route` and `receivers`"
        if len(content) > MAX_BYTES:
            self.error(f"the configuration has more than {MAX_BYTES >> 20} MiB")
            return None
        root = self.root(content, what)
        if root is None:
            return None
        self.known_keys(root, _ROOT)
        receivers = {receiver.name: receiver for receiver in self._receivers(root.get("receivers"))}
        inhibitions = list(self._inhibitions(root.get("inhibit_rules")))
        node = root.get("route")
        if not isinstance(node, Mapping):
            self.error("there is no `route`" if is_null(node) else "route is no mapping", node or root, what)
            return None
        self._root_route(node)
        names = [*self._named(root, "mute_time_intervals"), *self._named(root, "time_intervals")]
        return Routing(path, self._route(node, "route", None, receivers, set(names)), receivers, inhibitions)

    # -- parts

    def _list(self, node: Node | None, path: str) -> Iterator[tuple[str, Mapping]]:
        """The mappings of a list, each with where it stands. Alertmanager passes over null, except as a route."""
        if isinstance(node, Sequence):
            for number, item in enumerate(node.items):
                self.object = f"{path}[{number}]"
                if isinstance(item, Mapping):
                    yield self.object, item
                elif not is_null(item) or path.endswith("routes"):
                    self.error(f"{self.object} is no mapping", item)
        elif not is_null(node):
            self.error(f"{path} is no list", node)
        self.object = ""

    def _receivers(self, node: Node | None) -> Iterator[Receiver]:
        seen: set[str] = set()
        for path, item in self._list(node, "receivers"):
            name = self.text(item, "name")
            self.object = f"receiver {name}" if name else path
            self._receiver_keys(item)
            if not name:
                self.error("the receiver has no name", item)
            elif name in seen:
                self.error(f"receiver {name!r} is there already", item.get("name"))
            seen.add(name)
            place = item.items()["name"][1] if name else item
            sections = [value for key, (_where, value) in item.items().items() if key.endswith("_configs")]
            has_integration = any(isinstance(section, Sequence) and section.items for section in sections)
            yield Receiver(name, (place.line, place.column), has_integration)

    def _receiver_keys(self, node: Mapping) -> None:
        """New integrations come with every version: one that is not known here need not be wrong."""
        known = ("name", "labels", *_INTEGRATIONS)
        new = tuple(key for key in node.items() if key.endswith("_configs") and key not in known)
        self.known_keys(node, (*known, *new))
        for key, (where, value) in node.items().items():
            if key in new:
                self.report.add(
                    "rules/routing-config",
                    "warning",
                    f"unknown integration {key!r}",
                    hint=did_you_mean(key, _INTEGRATIONS),
                    place=(where.line, where.column),
                    object_=self.object,
                )
            if key.endswith("_configs") and not isinstance(value, Sequence) and not is_null(value):
                self.error(f"{key} is no list", value)

    def _named(self, root: Mapping, key: str) -> Iterator[str]:
        seen: set[str] = set()
        for _path, item in self._list(root.get(key), key):
            name = self.text(item, "name")
            if not name:
                self.error("the time interval has no name", item)
            elif name in seen:
                self.error(f"time interval {name!r} is there already", item.get("name"))
            seen.add(name)
            yield name

    def _inhibitions(self, node: Node | None) -> Iterator[InhibitRule]:
        for path, item in self._list(node, "inhibit_rules"):
            self.known_keys(item, _INHIBITION)
            self.text(item, "name")
            source, target = (
                self._matchers(item, f"{side}_match", f"{side}_match_re", f"{side}_matchers")
                for side in ("source", "target")
            )
            equal = tuple(self._names(item, "equal"))
            yield InhibitRule(path, (item.line, item.column), source, target, equal)

    # -- routes

    def _root_route(self, node: Mapping) -> None:
        """What only the root must, or must not, say."""
        self.object = "route"
        if not self.text(node, "receiver"):
            self.error("the root route has no receiver: nobody gets what no other route takes", node)
        for key in ("match", "match_re", "matchers", *_INTERVALS):
            value = node.get(key)
            if isinstance(value, Mapping | Sequence) and (value.entries if isinstance(value, Mapping) else value.items):
                self.error(f"the root route must not have {key}: it takes every alert", value)
        if _truth(node.get("continue")):
            self.error("the root route must not have continue", node.get("continue"))

    def _route(
        self, node: Mapping, path: str, parent: Route | None, receivers: dict[str, Receiver], intervals: set[str]
    ) -> Route:
        self.object = path
        self.known_keys(node, _ROUTE)
        own = self.text(node, "receiver")
        if own and own not in receivers:
            self.error(
                f"no receiver is called {own!r}",
                node.get("receiver"),
                did_you_mean(own, receivers) or f"receivers has {', '.join(receivers) or 'none'}",
                "rules/routing-undefined-receiver",
            )
        self._times(node, intervals)
        groups = self._names(node, "group_by")
        if "..." in groups and set(groups) != {"..."}:
            self.error("group_by has `...` and other labels", node.get("group_by"))
        if twice := [name for name, count in Counter(groups).items() if count > 1 and name != "..."]:
            self.error(f"group_by has {twice[0]!r} twice", node.get("group_by"))
        route = Route(
            path,
            (node.line, node.column),
            own or (parent.receiver if parent is not None else ""),
            parent,
            self._matchers(node, "match", "match_re", "matchers"),
            self._continues(node),
        )
        route.routes = [
            self._route(item, below, route, receivers, intervals)
            for below, item in self._list(node.get("routes"), f"{path}.routes")
        ]
        return route

    def _times(self, node: Mapping, intervals: set[str]) -> None:
        for key in _DURATIONS:
            value = node.get(key)
            written = self.text(node, key)
            if not isinstance(value, Scalar) or is_null(value):
                continue
            try:
                seconds = parse_duration(written)
            except ValueError as error:
                self.error(f"{key}: {error}", value, "write it like 30s, 5m or 1h30m")
                continue
            if seconds == 0 and key != "group_wait":
                self.error(f"{key} cannot be zero", value)
        for key in _INTERVALS:
            for name in self.texts(node.get(key), key):
                if name not in intervals:
                    self.error(f"no time interval is called {name!r}", node.get(key))

    def _continues(self, node: Mapping) -> bool:
        value = node.get("continue")
        if not is_null(value) and _truth(value) is None:
            self.error("continue is true or false", value)
        return bool(_truth(value))

    def _names(self, node: Mapping, key: str) -> list[str]:
        value = node.get(key)
        names = self.texts(value, key)
        if "" in names or (isinstance(value, Sequence) and any(is_null(item) for item in value.items)):
            self.error(f"{key} has a label without a name", node.get(key))
        return names

    def _matchers(self, node: Mapping, equal: str, pattern: str, modern: str) -> tuple[Matcher, ...]:
        found = [*self._legacy(node, equal, "="), *self._legacy(node, pattern, "=~")]
        value = node.get(modern)
        for item in self.items(value, modern):
            if not isinstance(item, Scalar):
                self.error(f"{modern} has what is no text", item)
                continue
            try:
                found += parse(item.value)
            except MatcherError as error:
                hint = 'write it like severity="critical" or team=~"web|db"'
                self.error(f"{item.value!r} is no matcher: {error}", item, hint, "rules/routing-matcher")
        return tuple(found)

    def _legacy(self, node: Mapping, key: str, operator: str) -> Iterator[Matcher]:
        value = node.get(key)
        for name, written in self.entries(value, key):
            where = value.items()[name][0] if isinstance(value, Mapping) else None
            if not _CLASSIC_NAME.fullmatch(name):
                self.error(f"{name!r} is no name of a label", where, f"use matchers instead of {key}")
            if not isinstance(written, Scalar):
                self.error(f"{key}.{name} is no text", written)
                continue
            try:
                yield matcher(name, operator, "" if written.is_null else written.value)
            except MatcherError as error:
                self.error(str(error), written, identity="rules/routing-matcher")


def _truth(node: Node | None) -> bool | None:
    """What YAML 1.1 reads; None for anything else."""
    word = node.value.lower() if isinstance(node, Scalar) and not node.style else ""
    return word in _TRUE if word in _TRUE | _FALSE else None
