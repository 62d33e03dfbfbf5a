# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters without rate(), and functions that are for the other type of metric.

Without a contract a metric's name must tell its type: `_total` stands at the end of counters, but also of gauges that
are the whole of something (`inodes_total`, beside `inodes_free`).
"""

from __future__ import annotations

import re

from ..._promql.nodes import (
    COMPARISONS,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Subquery,
    VectorSelector,
    strip_parens,
    walk,
)
from ..._promql.shapes import COUNTER_FUNCTIONS, same_unit
from ..context import Comparison, Context

_COUNTER = re.compile(r"_total$|_bucket$|_(?:seconds|milliseconds|duration|latency|bytes|size)_(?:sum|count)$")
_STATE = re.compile(
    r"uptime|(?:^|_)(?:pending|waiting|queued|offline|online|unapplied|available|unavailable|free|active|idle|current"
    r"|healthy|unhealthy|degraded)_"
)
_WHOLE = re.compile(
    r"(?:inodes|availabilit(?:y|ies)|capacity|memory|mem|membership|members|limit|quota|size|space|slots|heap|swap"
    r"|resources?|nodes|drives?|disks|cpus?|cores|pods|replicas|managers|shards|partitions|brokers|incidents|used|usage|up"
    r"|registered|indexes|collections|databases|objects|zombies|draining)_total$"
)
_PART = re.compile(r"_(?:used|usage|free|avail|available|remaining|healthy|limit|reserved)$")
_GAUGE = re.compile(
    r"^up$|_up$|_(?:celsius|ratio|percent|percentage|temperature|utilization|utilisation)$"
    r"|_(?:depth|length|backlog|in_flight|inflight|pending|waiting|replicas|goroutines|load(?:1|5|15))$"
    r"|mem(?:ory)?_\w*bytes$|_(?:avail|available|free|used|usage|resident_memory|limit|size|capacity)_bytes$"
    r"|:(?:rate|irate|increase|ratio|deriv|delta)(?:_?\w+)?$"
)
_IGNORES_VALUES = frozenset({"absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp"})
_COUNTS = frozenset({"count", "group", "count_values"})
_GAUGE_FUNCTIONS = frozenset({"delta", "idelta", "deriv", "predict_linear"})


def check(context: Context) -> None:
    for call in context.all(Call):
        if call.name in COUNTER_FUNCTIONS:
            _counter_function(context, call)
        elif call.name in _GAUGE_FUNCTIONS:
            _gauge_function(context, call)


def check_alert(context: Context) -> None:
    counters = _raw_counters(context) if context.comparisons else {}
    for comparison in context.comparisons if counters else ():
        counter = counters.get(id(comparison.vector))
        if counter is not None and not _asks_whether_any(context, comparison):
            _report_raw(context, counter)
            return


def check_record(context: Context) -> None:
    """A sum of counters falls whenever one of its processes restarts: no later rate() can mend that."""
    counters = _raw_counters(context)
    for node in context.nodes if counters else ():
        counter = counters.get(id(node))
        makes = isinstance(node, Aggregation) or (isinstance(node, Binary) and node.operator == "/")
        if counter is not None and makes and not _ignored(context, node):
            _report_raw(context, counter)
            return


# -- raw counters


def _report_raw(context: Context, counter: VectorSelector) -> None:
    context.add(
        "counter-raw",
        "warning",
        f"{counter.metric} is a counter: its value only says how long the process has been running",
        counter,
        "take increase() or rate() of each series, then aggregate and compare",
    )


def _raw_counters(context: Context) -> dict[int, VectorSelector]:
    """The counter whose plain value a node's value is made of, by the node's id."""
    counted = {
        id(call.arguments[0].vector)
        for call in context.all(Call)
        if call.name in COUNTER_FUNCTIONS and isinstance(call.arguments[0], MatrixSelector)
    }
    selectors = (node for node in context.all(VectorSelector) if id(node) not in counted)
    raw = {id(node): node for node in selectors if _is_counter(context, node)}
    for node in reversed(context.nodes) if raw else ():  # operands before what is made of them
        counter = _from_operands(node, raw)
        if counter is not None:
            raw[id(node)] = counter
    return raw


def _from_operands(node: Expr, raw: dict[int, VectorSelector]) -> VectorSelector | None:
    if not isinstance(node, Binary):
        operand = same_unit(node)
        return raw.get(id(operand))
    left, right = raw.get(id(node.left)), raw.get(id(node.right))
    if "scalar" in {node.left.type, node.right.type} or node.operator in {"+", "*", "or"}:
        return left or right
    if node.operator == "/":
        return left if right is not None else None
    # what is left of a difference of two counters may be what is under way
    return left if node.operator in COMPARISONS | SET_OPERATORS else None


def _is_counter(context: Context, selector: VectorSelector) -> bool:
    name = selector.metric
    if (described := context.metric(name)) is not None:
        return described.type == "counter"
    if ":" in name or _COUNTER.search(name) is None or _STATE.search(name) or _WHOLE.search(name):
        return False
    whole = name.removesuffix("_total") + "_"
    return not any(
        other.metric.startswith(whole) and _PART.search(other.metric) for other in context.all(VectorSelector)
    )


def _asks_whether_any(context: Context, comparison: Comparison) -> bool:
    """Whether the counter has begun: `== 0`, or `> 0` beside another condition."""
    if comparison.limit != 0:
        return False
    if comparison.operator in {"==", "!=", "<", "<="}:
        return True
    return any(isinstance(parent, Binary) and parent.operator == "and" for parent in context.ancestors(comparison.node))


def _ignored(context: Context, node: Expr) -> bool:
    """Something around it does not look at the value, or makes a rate of it."""
    child = node
    for parent in context.ancestors(node):
        if isinstance(parent, Subquery) or (isinstance(parent, Call) and parent.name in _IGNORES_VALUES):
            return True
        if isinstance(parent, Aggregation) and parent.operator in _COUNTS:
            return True
        if isinstance(parent, Binary) and parent.operator == "-" and parent.left.type == parent.right.type:
            return True  # what is under way: started - handled
        if isinstance(parent, Binary) and parent.operator in {"and", "unless"} and parent.right is child:
            return True
        child = parent
    return isinstance(node, Aggregation) and node.operator in _COUNTS


# -- functions for the other type


def _gauge_function(context: Context, node: Call) -> None:
    argument = node.arguments[0]
    if not isinstance(argument, MatrixSelector) or context.metric(argument.vector.metric) is not None:
        return  # what the contract describes is for its own lint
    if _is_counter(context, argument.vector):
        context.add(
            "delta-on-counter",
            "warning",
            f"{node.name}() is for gauges: a restart makes it negative on {argument.vector.metric}",
            node,
            "use increase() or rate()",
        )


def _counter_function(context: Context, node: Call) -> None:
    argument = node.arguments[0]
    if isinstance(argument, Subquery):
        inner = strip_parens(argument.expr)
        if isinstance(inner, Aggregation) and inner.operator in {"sum", "avg"} and not has_counter_function(inner):
            context.add(
                "rate-of-aggregate",
                "warning",
                f"{node.name}() of a {inner.operator}: the restart of one series looks like a restart of all",
                node,
                f"take {node.name}() of each series, then aggregate",
            )
    elif isinstance(argument, MatrixSelector):
        _counter_of_record(context, node, argument.vector)
        _counter_of_gauge(context, node, argument.vector.metric)


def _counter_of_gauge(context: Context, node: Call, metric: str) -> None:
    """By its name alone; what the contract describes is for its own lint."""
    if metric not in context.index.records and context.metric(metric) is None and _GAUGE.search(metric):
        context.add(
            "rate-on-gauge",
            "warning",
            f"{metric} looks like a gauge: {node.name}() takes each fall of it for a restart",
            node,
            "use deriv(), delta() or changes(), or compare the value itself",
        )


def _counter_of_record(context: Context, node: Call, selector: VectorSelector) -> None:
    """rate() of a recorded metric whose own expression is a rate, a ratio or a sum already."""
    for rule in context.index.records.get(selector.metric, []):
        tree = strip_parens(rule.tree) if rule.tree is not None else None
        if tree is None:
            continue
        if has_counter_function(tree):
            context.add(
                "rate-on-gauge",
                "warning",
                f"{selector.metric} is recorded from a rate already: {node.name}() of it is the change of a gauge",
                node,
                "use the recorded value, or deriv()",
            )
        elif isinstance(tree, Aggregation) and tree.operator in {"sum", "avg"}:
            context.add(
                "rate-of-aggregate",
                "warning",
                f"{selector.metric} is a recorded {tree.operator}: the restart of one series looks like one of all",
                node,
                f"record {tree.operator}({node.name}(…))",
            )


def has_counter_function(tree: Expr) -> bool:
    return any(isinstance(node, Call) and node.name in COUNTER_FUNCTIONS for node in walk(tree))
