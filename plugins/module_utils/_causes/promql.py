# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a PromQL expression gives nothing: it is taken apart until one part is found that is empty by itself."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence

from .._findings import did_you_mean
from .._promql import Profile, PromQLError, parse, to_text
from .._promql.nodes import (
    COMPARISONS,
    METRIC_NAME,
    Binary,
    Call,
    Expr,
    Matcher,
    MatrixSelector,
    Number,
    VectorSelector,
    children,
    strip_parens,
    walk,
)
from .._promql.printer import quote
from .._promql.profile import FEATURES, NEWEST
from .chain import Step, broken, clock, listed
from .metrics import Known, metric_walk
from .objects import one_line
from .walk import Answers, Question, Sample, Walk

MOST_PARTS = 80
NOT_CROSSED = "Nothing is wrong where it is meant to show only what crosses the limit"
PROFILE = Profile(NEWEST, FEATURES)
SHOWN_VALUES = 5


def expression_walk(text: str, known: Known, variables: Mapping[str, str] | None = None) -> Walk:
    """From an expression to the part that is empty. `variables`: a value in the text → the variable it came from."""
    try:
        tree = parse(text, PROFILE)
    except PromQLError as error:
        return [broken(f"the query is not PromQL: {error}", "Correct the query")]
    parts = [part for part in walk(tree) if part.type in {"vector", "matrix"}][:MOST_PARTS]
    answers = yield list(dict.fromkeys(map(asked, parts)))
    found = answers.samples(asked(tree))
    if any(not math.isnan(sample.value) for sample in found) or (found and tree.type == "matrix"):
        return [Step(f"the query has {len(found)} series now")]
    if found:
        return [_no_number(tree, answers)]
    part = empty_part(tree, answers)
    if refusal := answers.errors.get(asked(part)):
        return [broken(f"{shown(part)} cannot be evaluated: {one_line(refusal)}", "Correct the query")]
    return (yield from _why_empty(part, answers, known, variables or {}))


def is_promql(text: str) -> bool:
    try:
        parse(text, PROFILE)
    except PromQLError:
        return False
    return True


def asked(part: Expr) -> Question:
    text = to_text(part)
    return Question("vector", f"count_over_time({text})" if part.type == "matrix" else text)


def shown(part: Expr) -> str:
    return one_line(to_text(part), 120)


def empty_part(part: Expr, answers: Answers) -> Expr:
    """The deepest part that is empty, or fails, although what it is made of is not."""
    while True:
        below = [child for child in children(part) if child.type in {"vector", "matrix"}]
        if isinstance(part, Binary) and part.operator == "unless":
            below = below[:1]
        if isinstance(part, MatrixSelector):
            return part
        failed = next((child for child in below if asked(child) in answers.errors), None)
        empty = next((child for child in below if not answers.samples(asked(child))), None)
        if failed is None and empty is None:
            return part
        part = failed or empty or part


def _why_empty(part: Expr, answers: Answers, known: Known, variables: Mapping[str, str]) -> Walk:
    inner = strip_parens(part)
    if isinstance(inner, VectorSelector):
        return (yield from selector_walk(inner, None, known, variables))
    if isinstance(inner, MatrixSelector):
        return (yield from selector_walk(inner.vector, inner, known, variables))
    if isinstance(inner, Call):
        return (yield from _call_walk(inner))
    if isinstance(inner, Binary):
        return [_binary(inner, answers)]
    return [broken(f"{shown(inner)} gives nothing, although what it is made of has samples", "Correct the query")]


def _call_walk(call: Call) -> Walk:
    """A function that gives nothing of an argument that has samples."""
    if call.name.startswith("absent"):
        return [Step(f"{shown(call)} is empty because its series are there")]
    window = next((child for child in call.arguments if isinstance(child, MatrixSelector)), None)
    if window is not None:
        return (yield from _window_walk(call, window))
    return [broken(f"{shown(call)} gives nothing of what its argument has", _call_hint(call))]


def _call_hint(call: Call) -> str:
    if call.name == "histogram_quantile":
        return "Keep the label le in the aggregation below it; a native histogram needs no _bucket"
    return "Correct the query"


def _window_walk(call: Call, window: MatrixSelector) -> Walk:
    """The window has samples, but the function needs two of them."""
    vector = to_text(VectorSelector(window.vector.name, window.vector.matchers, 0, 0))
    interval = yield from _interval(vector)
    length = to_text(window)[len(to_text(window.vector)) :].strip("[]")
    text = f"the window [{length}] of {call.name}() is too short: its series have a sample every {interval:.0f} s"
    return [
        broken(text, f"Make it at least {2 * interval:.0f} s (four intervals are usual), or use [$__rate_interval]")
    ]


def _interval(selector: str) -> Generator[Sequence[Question], Answers, float]:
    """Seconds between two samples of its series: those of the targets, or counted where it has none."""
    count, jobs = (
        Question("vector", f"max(count_over_time({selector}[10m]))"),
        Question("vector", f"group by (job) ({selector})"),
    )
    targets = Question("targets")
    answers = yield [count, jobs, targets]
    names = {sample.labels.get("job") for sample in answers.samples(jobs)}
    scraped = [target.interval for target in answers.get(targets) or () if target.job in names]
    most = max((sample.value for sample in answers.samples(count)), default=0)
    return max(scraped, default=600 / most if most else 0)


def _binary(binary: Binary, answers: Answers) -> Step:
    left, right = answers.samples(asked(binary.left)), answers.samples(asked(binary.right))
    if binary.operator in COMPARISONS:
        values = sorted(sample.value for sample in (left or right))
        have = f"{values[0]:g}" if len(set(values)) == 1 else f"{values[0]:g} to {values[-1]:g}"
        if isinstance(strip_parens(binary.right), Number) or isinstance(strip_parens(binary.left), Number):
            limit = to_text(binary.right if left else binary.left)
            text = f"no series is {binary.operator} {limit}: {shown(binary.left if left else binary.right)} is {have}"
            return broken(text, NOT_CROSSED)
        if _same_labels(binary, left, right):
            text = f"no series of {shown(binary.left)} is {binary.operator} {shown(binary.right)}"
            return broken(text, NOT_CROSSED)
    if binary.operator == "unless":
        return broken(f"{shown(binary.right)} takes every series away", "Correct what stands behind unless")
    return broken(_unmatched(binary, left, right), "Say which labels must be equal with on(…) or ignoring(…)")


def _key(binary: Binary, labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    matching = binary.matching
    return frozenset(
        (name, value)
        for name, value in labels.items()
        if name != METRIC_NAME and (name in matching.labels) == matching.on
    )


def _same_labels(binary: Binary, left: Sequence[Sample], right: Sequence[Sample]) -> bool:
    keys = {_key(binary, sample.labels) for sample in left}
    return any(_key(binary, sample.labels) in keys for sample in right)


def _unmatched(binary: Binary, left: Sequence[Sample], right: Sequence[Sample]) -> str:
    """The two sides have series, and no pair of equal labels."""
    names = [{name for sample in side for name, _value in _key(binary, sample.labels)} for side in (left, right)]
    sides = f"{shown(binary.left)} {binary.operator} {shown(binary.right)}"
    for own, other, which in ((names[0], names[1], "left"), (names[1], names[0], "right")):
        if extra := sorted(own - other):
            return f"the two sides of {sides} have no labels in common: only the {which} one has {listed(extra)}"
    for name in sorted(names[0] & names[1]):
        values = [{sample.labels.get(name, "") for sample in side} for side in (left, right)]
        if not values[0] & values[1]:
            have = f"{listed(sorted(values[0]))} and {listed(sorted(values[1]))}"
            return f"the two sides of {sides} have no value of label {name} in common: {have}"
    return f"the two sides of {sides} have no pair of equal labels"


def _no_number(tree: Expr, answers: Answers) -> Step:
    """Every value is NaN: the deepest part that is, although what it is made of is not."""
    part = tree
    while True:
        below = [
            child
            for child in children(part)
            if (found := answers.samples(asked(child))) and all(math.isnan(sample.value) for sample in found)
        ]
        if not below:
            break
        part = below[0]
    inner = strip_parens(part)
    if isinstance(inner, Binary) and inner.operator in {"/", "%"}:
        return broken(
            f"{shown(inner.right)} is 0, so the quotient is no number (NaN)",
            "Nothing happens; or catch it with or vector(0)",
        )
    return broken(f"{shown(inner)} is no number (NaN)", "Nothing was observed in its window, or its data are NaN")


def selector_walk(
    selector: VectorSelector, window: MatrixSelector | None, known: Known, variables: Mapping[str, str]
) -> Walk:
    """A selector without a series: which of its matchers takes them away."""
    matchers = [matcher for matcher in selector.matchers if matcher.name != METRIC_NAME or matcher.operator != "="]
    metric = selector.metric
    plain = VectorSelector(metric if selector.name else "", [], 0, 0)
    base = [] if selector.name or not metric else [Matcher(METRIC_NAME, "=", metric, 0, 0)]
    if not metric:
        base, matchers = matchers[:1], matchers[1:]

    def query(chosen: Sequence[Matcher]) -> Question:
        return Question("vector", f"group({to_text(VectorSelector(plain.name, [*base, *chosen], 0, 0))})")

    each = {matcher.start: query([matcher]) for matcher in matchers}
    bare, whole = query([]), query(matchers)
    answers = yield list(dict.fromkeys([bare, whole, *each.values()]))
    if not answers.samples(bare):
        if metric:
            return (yield from metric_walk(metric, matchers, known))
        return [broken(f"no series has {matcher_text(base[0])}", "Correct the query")]
    if answers.samples(whole):
        return (yield from _too_early(selector, window))
    culprits = [matcher for matcher in matchers if not answers.samples(each[matcher.start])]
    if not culprits:
        told = " and ".join(map(matcher_text, matchers))
        return [
            broken(f"no series of {metric or 'the metric'} has all of {told}; each alone has some", "Correct the query")
        ]
    selector_text = to_text(VectorSelector(plain.name, base, 0, 0))
    return (yield from _matcher_walk(culprits[0], metric, selector_text, variables))


def matcher_text(matcher: Matcher) -> str:
    return f"{matcher.name}{matcher.operator}{quote(matcher.value)}"


def _matcher_walk(matcher: Matcher, metric: str, selector: str, variables: Mapping[str, str]) -> Walk:
    """One matcher takes every series away: its label does not exist, or has other values."""
    values, labels = Question("vector", f"group by ({matcher.name}) ({selector})"), Question("labels", selector)
    answers = yield [values, labels]
    have = [value for sample in answers.samples(values) if (value := sample.labels.get(matcher.name))]
    names = [name for name in answers.texts(labels) if name != METRIC_NAME]
    source = next((f" (from variable {name})" for value, name in variables.items() if value in matcher.value), "")
    what = f"no series of {metric or selector} has {matcher_text(matcher)}{source}"
    if not have:
        near = did_you_mean(matcher.name, names)
        hint = near or f"It has the labels {listed(sorted(names), SHOWN_VALUES)}"
        return [broken(f"{what}: it has no label {matcher.name}", hint[:1].upper() + hint[1:])]
    near = did_you_mean(matcher.value, have)
    hint = near[:1].upper() + near[1:] if near else "Correct the value, or find out why no such series is there"
    return [broken(f"{what}: {matcher.name} is {listed(sorted(have), SHOWN_VALUES)}", hint)]


def _too_early(selector: VectorSelector, window: MatrixSelector | None) -> Walk:
    """The series are there now, but not where the selector looks: an offset, or a window that ends before."""
    text = to_text(VectorSelector(selector.name, selector.matchers, 0, 0))
    oldest = Question("vector", "min(prometheus_tsdb_lowest_timestamp_seconds)")
    answers = yield [oldest]
    if selector.modifiers is not None and (selector.modifiers.offset is not None or selector.modifiers.at is not None):
        where = to_text(selector)[len(text) :].strip()
        kept = answers.samples(oldest)
        since = f"; the oldest sample that Prometheus keeps is of {clock(kept[0].value)}" if kept else ""
        return [
            broken(
                f"{shown(selector)} had no sample at that time ({where}){since}",
                "Look less far back, or keep data longer (retention)",
            )
        ]
    if window is not None:
        interval = yield from _interval(text)
        length = to_text(window)[len(to_text(window.vector)) :]
        text = f"the window {length} holds no sample: its series have a sample every {interval:.0f} s"
        return [broken(text, f"Make it at least {2 * interval:.0f} s, or use [$__rate_interval]")]
    return [Step(f"{text} has series now")]
