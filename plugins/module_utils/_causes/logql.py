# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a LogQL query gives nothing: first its stream selector, matcher by matcher, then its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .._findings import did_you_mean
from .._logql import LogQLError, parse
from .._logql.nodes import LogQuery, Matcher, Query, RangeAggregation, walk
from .._promql import patterns
from .._promql.printer import quote
from .._promql.re2 import RegexError
from .chain import Step, broken, is_broken, listed
from .logs import late_chain
from .nodes import node_of
from .objects import Labels, Object, Objects, labels_of, one_line, space_of
from .pods import is_ready, pod_chain
from .walk import Answers, Question, Walk

RECENT, BEFORE = "5m", "24h"
SHOWN_VALUES = 5
WORKLOAD_LABELS = ("app.kubernetes.io/name", "app")


def log_walk(text: str, collector: Labels, loki: tuple[str, str, int], variables: Mapping[str, str]) -> Walk:
    """From a query to the matcher or the stage that takes every line away, or to who writes no lines."""
    try:
        tree = parse(text)
    except LogQLError as error:
        return [broken(f"the query is not LogQL: {error}", "Correct the query")]
    query = next((node for node in walk(tree) if isinstance(node, LogQuery)), None)
    if query is None:
        return [broken("the query selects no log lines", "Correct the query")]
    return (yield from _query_walk(text, tree, query, Site(collector, loki, variables)))


class Site(NamedTuple):
    """What a walk knows beside the query."""

    collector: Labels
    loki: tuple[str, str, int]
    variables: Mapping[str, str]


def _query_walk(text: str, tree: Query, query: LogQuery, site: Site) -> Walk:
    selector = selector_text(query.matchers)
    each = {matcher.start: _count(selector_text([matcher]), BEFORE) for matcher in query.matchers}
    recent, before = _count(selector, RECENT), _count(selector, BEFORE)
    answers = yield list(dict.fromkeys([recent, before, *each.values()]))
    if refusal := answers.errors.get(recent):
        return [broken(f"Loki refuses {selector}: {one_line(refusal)}", "Correct the query or the data source")]
    if not answers.samples(before):
        return (yield from _matchers(query, each, answers, site.variables))
    if not answers.samples(recent):
        chain = [broken(f"{selector} has no line within {RECENT}, but has older ones")]
        return [*chain, *(yield from writers(query.matchers, site.collector, site.loki))]
    chain = [Step(f"{selector} has lines within {RECENT}")]
    offset = next((node.offset_seconds for node in walk(tree) if isinstance(node, RangeAggregation)), 0.0)
    if offset:
        told = f"the query looks {offset / 3600:g} h back (offset), and Loki has no lines of that time"
        return [*chain, broken(told, "Look less far back, or keep logs longer (loki_retention)")]
    return [*chain, *(yield from _stages(text, query, selector))]


def selector_text(matchers: Sequence[Matcher]) -> str:
    return "{" + ", ".join(map(matcher_text, matchers)) + "}"


def matcher_text(matcher: Matcher) -> str:
    return f"{matcher.name}{matcher.operator}{quote(matcher.value)}"


def _count(pipeline: str, window: str) -> Question:
    return Question("lines", f"sum(count_over_time({pipeline} [{window}]))")


def _matchers(query: LogQuery, each: Mapping[int, Question], answers: Answers, variables: Mapping[str, str]) -> Walk:
    """No line within a day: which matcher takes them away. One that cannot stand alone is none of them."""
    culprits = [
        matcher
        for matcher in query.matchers
        if not answers.samples(each[matcher.start]) and each[matcher.start] not in answers.errors
    ]
    if not culprits:
        text = f"no line within {BEFORE} has all of {selector_text(query.matchers)}; each alone has some"
        return [broken(text, "Correct the query")]
    matcher = culprits[0]
    values, names = Question("stream_values", matcher.name), Question("stream_labels")
    answers = yield [values, names]
    have, labels = answers.texts(values), answers.texts(names)
    source = next((f" (from variable {name})" for value, name in variables.items() if value in matcher.value), "")
    what = f"no log stream has {matcher_text(matcher)}{source}"
    if matcher.name not in labels and not have:
        near = did_you_mean(matcher.name, labels) or f"the labels are {listed(sorted(labels), 8)}"
        text = f"{what}: {matcher.name} is no label of streams"
        return [
            broken(text, f"{near[:1].upper()}{near[1:]}; what is structured metadata is filtered behind the braces")
        ]
    near = did_you_mean(matcher.value, have)
    hint = near[:1].upper() + near[1:] if near else "Correct the value, or find out why no such stream is there"
    return [broken(f"{what}: {matcher.name} is {listed(sorted(have), SHOWN_VALUES)}", hint)]


def _stages(text: str, query: LogQuery, selector: str) -> Walk:
    """The lines are there: which stage of the pipeline leaves none."""
    prefixes = [selector + text[_end(text, query) : stage.start].rstrip(" |\n\t") for stage in query.stages]
    questions = [_count(prefix, RECENT) for prefix in prefixes]
    answers = yield list(dict.fromkeys(questions))
    ends = [*(stage.start for stage in query.stages[1:]), len(text)]
    for stage, end, after in zip(query.stages, ends, [*questions[1:], None], strict=True):
        if after is not None and answers.samples(after):
            continue
        shown = one_line(text[stage.start : end].rstrip(" |\n\t"), 80)
        shown = shown if after is not None or "[" not in shown else shown[: shown.rindex("[")].strip()
        refusal = answers.errors.get(after, "") if after is not None else ""
        why = f"no line of {selector} passes the stage {shown}{refusal and f': {one_line(refusal)}'}"
        return [broken(why, "Correct the stage, or the fields that lines carry")]
    return [Step("every stage lets lines through")]


def _end(text: str, query: LogQuery) -> int:
    """Where the braces of the selector close."""
    at = max((matcher.start for matcher in query.matchers), default=query.start)
    quoted = ""
    for number in range(at, len(text)):
        sign = text[number]
        if quoted:
            if sign == quoted and text[number - 1] != "\\":
                quoted = ""
        elif sign in '"`':
            quoted = sign
        elif sign == "}":
            return number + 1
    return len(text)


def writers(matchers: Sequence[Matcher], collector: Labels, loki: tuple[str, str, int]) -> Walk:
    """Who should write what the matchers select, and what is wrong with it."""
    cluster = Question("cluster")
    answers = yield [cluster]
    objects = answers.objects()
    pods = [pod for pod in objects.of("pods") if _writes(pod, matchers)]
    if not pods:
        return list(_absent(matchers, objects))
    ready = [pod for pod in pods if is_ready(pod)]
    if not ready:
        return list(pod_chain(pods[0], objects))
    running = ready[0]
    chain = late_chain(running, node_of(running), collector, loki, objects)
    if is_broken(chain):
        return list(chain)
    names = listed([f"{space_of(pod)}/{pod['metadata']['name']}" for pod in pods])
    return [*chain, broken(f"pod {names} writes no lines now", "Look at what it does: kubectl logs")]


def _absent(matchers: Sequence[Matcher], objects: Objects) -> Sequence[Step]:
    told = " and ".join(map(matcher_text, matchers))
    for plural, kind in (("deployments", "Deployment"), ("statefulsets", "StatefulSet")):
        for item in objects.of(plural):
            template = {
                "metadata": {**(item["spec"].get("template") or {}).get("metadata", {}), "namespace": space_of(item)}
            }
            if _writes(template, matchers) and item["spec"].get("replicas") == 0:
                name = f"{space_of(item)}/{item['metadata']['name']}"
                return [broken(f"{kind} {name} is scaled to 0", "Scale it up")]
    return [broken(f"no pod runs that writes lines with {told}", "Deploy it, or correct the query")]


def _writes(pod: Object, matchers: Sequence[Matcher]) -> bool:
    labels = labels_of(pod)
    app = next((labels[name] for name in WORKLOAD_LABELS if name in labels), "")
    names = {"namespace": space_of(pod), "pod": str(pod["metadata"].get("name", "")), "app": app, "service_name": app}
    return all(_fits(matcher, names[matcher.name]) for matcher in matchers if matcher.name in names)


def _fits(matcher: Matcher, value: str) -> bool:
    if matcher.operator in {"=", "!="}:
        return (matcher.value == value) == (matcher.operator == "=")
    try:
        return patterns.compile(matcher.value).fullmatch(value) == (matcher.operator == "=~")
    except RegexError:
        return True
