# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lints of the rules against Alertmanager's routing: alerts that notify nobody, routes that match nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._findings import Finding, Severity, did_you_mean
from .._promql.nodes import walk
from .._rules.context import ALWAYS_FIRING, Index
from .._rules.label_flow import ANY, Flows
from .._rules.model import Rule
from .._rules.report import RuleReport
from .._sources import Source
from .configuration import InhibitRule, Route, Routing, load
from .matchers import Matcher
from .routing import LabelSet, examples, match

_LIKE = 0.8
"""How alike a value in the configuration and one of an alert are when one of them counts as a typing error."""
_QUIET = frozenset({"none", "info"})
"""Severities that may be meant for nobody."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as Alertmanager may get it: one label set for each branch of its expression."""

    labels: tuple[LabelSet, ...]
    rule: Rule | None = None
    """None for an alert that comes from elsewhere."""


def of_rules(index: Index) -> list[Alert]:
    """The alerts of the rules, with what label flow knows of their expressions."""
    return [_of_rule(rule, index) for rule in index.rules if rule.is_alert]


def of_labels(labels: Mapping[str, str]) -> Alert:
    """An alert of which all labels are known."""
    return Alert((LabelSet(dict(labels)),))


def _of_rule(rule: Rule, index: Index) -> Alert:
    own: dict[str, str | None] = {
        name: None if "{{" in value else value for name, value in rule.group.all_labels(rule).items()
    }
    own["alertname"] = rule.name
    flow = ANY if rule.tree is None else Flows(list(walk(rule.tree)), index.flow).of(rule.tree)
    sets = []
    for branch in dict.fromkeys(flow):
        carried: dict[str, str | None] = dict.fromkeys(branch.excluded, "")
        carried.update(dict.fromkeys(branch.possible or (), None))
        sets.append(LabelSet({**carried, **own}, branch.possible is None))
    return Alert(tuple(sets), rule)


def lint_configuration(source: Source, index: Index) -> list[Finding]:
    """What Alertmanager would refuse of the configuration, and what does not fit the alerts of the index."""
    report = RuleReport()
    routing = load(source.path, source.text, report)
    if routing is not None:
        check(routing, of_rules(index), report)
    return report.findings


def check(routing: Routing, alerts: Sequence[Alert], report: RuleReport) -> None:
    """What does not fit together. Nothing is an error: other rules may send other alerts."""
    report.file = routing.file
    _Lints(routing, alerts, report).run()


class _Lints:
    def __init__(self, routing: Routing, alerts: Sequence[Alert], report: RuleReport) -> None:
        self.routing = routing
        self.alerts = alerts
        self.report = report
        self.sets = [labels for alert in alerts for labels in alert.labels]
        self.values: dict[str, set[str]] = {}
        for labels in self.sets:
            for name, value in labels.values.items():
                self.values.setdefault(name, set()).update({value} if value else ())

    def run(self) -> None:
        self._receivers()
        self._routes()
        self._alerts()
        for rule in self.routing.inhibitions:
            self._inhibition(rule)

    def _add(self, identity: str, severity: Severity, message: str, at: Route | InhibitRule, hint: str = "") -> None:
        self.report.add(identity, severity, message, hint=hint, place=at.place, object_=at.path)

    # -- the configuration

    def _receivers(self) -> None:
        used = {route.receiver for route in self.routing.routes()}
        for receiver in self.routing.receivers.values():
            if receiver.name not in used:
                self.report.add(
                    "rules/routing-unused-receiver",
                    "warning",
                    f"no route leads to receiver {receiver.name!r}",
                    hint="add a route, or remove the receiver",
                    place=receiver.place,
                    object_=f"receiver {receiver.name}",
                )

    def _routes(self) -> None:
        root = self.routing.root
        matched = {route for labels in self.sets for route in match(root, labels).matched}
        unreachable: set[Route] = set()
        for route in self.routing.routes():
            if route.parent is None:
                continue
            if route.parent in unreachable:
                unreachable.add(route)  # said of the one above it
            elif (reason := self._unreachable(route)) is not None:
                unreachable.add(route)
                self._add("rules/routing-unreachable", "warning", f"no alert can arrive here: {reason}", route)
            elif self.alerts and route not in matched:
                unreachable.add(route)
                self._unreached(route)

    def _unreachable(self, route: Route) -> str | None:
        """Why no alert whatsoever can arrive; None when one can."""
        sets = examples(route.chain)
        if not sets:
            return f"{_list(route.chain)} exclude each other"
        takers = dict.fromkeys(_taker(route, labels) for labels in sets)
        if None in takers:
            return None
        return f"{', '.join(map(str, takers))} comes first, without `continue`"

    def _unreached(self, route: Route) -> None:
        never = [matcher for matcher in route.chain if all(labels.matches([matcher]) is False for labels in self.sets)]
        severity, hint = self._suggestion(never)
        if never:
            what = f"no alert of these rules has {_list(never)}"
        else:
            what = f"no alert of these rules with {_list(route.chain)} is left for it"
        self._add("rules/routing-unreached", severity, what, route, hint)

    def _suggestion(self, never: Iterable[Matcher]) -> tuple[Severity, str]:
        """A warning where a value is nearly one that alerts have, else what to think of."""
        for matcher in never:
            for value in matcher.values() or ():
                if hint := did_you_mean(value, sorted(self.values.get(matcher.name, ())), _LIKE):
                    return "warning", hint
        return "info", "do other rules send such alerts, or external labels of Prometheus add to them?"

    # -- the alerts

    def _alerts(self) -> None:
        matchers = [matcher for route in self.routing.routes() for matcher in route.matchers]
        # A label that no alert here is known to have may be an external label of Prometheus.
        foreign = {matcher.name for matcher in matchers} - set(self.values)
        has_integrations = any(receiver.has_integration for receiver in self.routing.receivers.values())
        for alert in self.alerts:
            rule = alert.rule
            if rule is None or rule.name in ALWAYS_FIRING:
                continue
            notified = dict.fromkeys(
                route
                for labels in alert.labels
                for route in match(self.routing.root, labels.open_for(foreign)).notified
            )
            severity = rule.group.all_labels(rule).get("severity", "")
            if "{{" in severity:
                continue
            if list(notified) == [self.routing.root] and severity:
                self._default(rule, severity)
            names = dict.fromkeys(route.receiver for route in notified)
            silent = not any(self.routing.receivers[name].has_integration for name in names)
            if has_integrations and silent and severity not in _QUIET:
                self.report.rule(
                    rule,
                    "rules/routing-silent",
                    "warning",
                    f"nobody is told: the alert only reaches receiver {', '.join(names)}, which has no integration",
                    hint="give the receiver an integration, or route the alert to another one",
                    place=rule.place("labels.severity", "alert"),
                )

    def _default(self, rule: Rule, severity: str) -> None:
        root = self.routing.root
        meant = [
            route
            for route in self.routing.routes()
            if any(_wants(matcher, "severity", severity) for matcher in route.matchers)
        ]
        if meant and all(route.receiver != root.receiver for route in meant):
            self.report.rule(
                rule,
                "rules/routing-default",
                "warning",
                f"the alert only reaches the default receiver {root.receiver!r}, although there are routes for"
                f" severity {severity!r}",
                hint=f"{meant[0]} wants {_list(meant[0].chain)}",
                place=rule.place("labels.severity", "alert"),
            )

    # -- inhibition

    def _inhibition(self, rule: InhibitRule) -> None:
        if not self.alerts:
            return
        sides = {"source": rule.source, "target": rule.target}
        found: dict[str, list[LabelSet]] = {}
        for side, matchers in sides.items():
            found[side] = [labels for labels in self.sets if labels.matches(matchers) is not False]
            if not found[side]:
                never = [matcher for matcher in matchers if all(s.matches([matcher]) is False for s in self.sets)]
                severity, hint = self._suggestion(never)
                self._add(
                    "rules/routing-inhibit-unmatched",
                    severity,
                    f"no alert of these rules is its {side}: {_list(never or matchers)}",
                    rule,
                    hint,
                )
        if not all(found.values()):
            return
        if not _can_inhibit(rule, examples(rule.source), examples(rule.target)):
            self._add(
                "rules/routing-inhibit-never",
                "warning",
                f"it never holds: no source and target can have the same {', '.join(rule.equal)}",
                rule,
                "take out of equal what differs between them",
            )
            return
        if not _can_inhibit(rule, found["source"], found["target"]):
            self._add(
                "rules/routing-inhibit-apart",
                "info",
                f"no two alerts of these rules are its source and its target with the same {', '.join(rule.equal)}"
                if rule.equal
                else "every alert of these rules that is a target is a source as well",
                rule,
                "do other rules send such alerts?",
            )
            return
        for name in rule.equal:
            if all(labels.value(name) == "" for side in found.values() for labels in side):
                self._add(
                    "rules/routing-inhibit-equal",
                    "info",
                    f"neither its sources nor its targets have the label {name!r}: it makes no difference",
                    rule,
                    "is it an external label of Prometheus?",
                )


def _can_inhibit(rule: InhibitRule, sources: list[LabelSet], targets: list[LabelSet]) -> bool:
    """Whether any source and any target can agree. Alerts that are both do not inhibit each other."""

    def distinct(sets: list[LabelSet]) -> dict[tuple[tuple[str | None, ...], bool], None]:
        return dict.fromkeys(
            (
                tuple(labels.value(name) for name in rule.equal),
                labels.matches(rule.source) is True and labels.matches(rule.target) is True,
            )
            for labels in sets
        )

    left, right = distinct(sources), distinct(targets)
    return any(
        not (source_is_both and target_is_both)
        and all(a is None or b is None or a == b for a, b in zip(source, target, strict=True))
        for source, source_is_both in left
        for target, target_is_both in right
    )


def _wants(matcher: Matcher, name: str, value: str) -> bool:
    """Whether it is for this value of the label, not just for anything."""
    return matcher.name == name and bool(matcher.accepts(value)) and matcher.accepts("") is False


def _taker(route: Route, labels: LabelSet) -> Route | None:
    """The earlier route, beside the given one or one above it, that takes these labels away from it."""
    while route.parent is not None:
        beside = route.parent.routes
        for earlier in beside[: beside.index(route)]:
            if not earlier.continue_ and labels.matches(earlier.matchers):
                return earlier
        route = route.parent
    return None


def _list(matchers: Iterable[Matcher]) -> str:
    return ", ".join(map(str, dict.fromkeys(matchers))) or "no matchers"
