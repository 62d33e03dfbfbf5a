# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vectors that do not match as they should: labels of both sides that are never equal, or that one side has lost."""

from __future__ import annotations

from collections.abc import Iterator

from ..._promql.nodes import (
    COMPARISONS,
    Aggregation,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
    strip_parens,
)
from ..._promql.shapes import constant, scaled
from ..context import Context
from ..label_flow import Flow, Labels, can

_CHANGES_LABELS = frozenset({"absent", "absent_over_time", "label_replace", "label_join", "info", "vector", "scalar"})
_MAYBE_EXTERNAL = frozenset({"cluster"})
"""Labels that rules often keep and series often lack: they are added when samples leave Prometheus."""
_PARTS_OF_HISTOGRAM = ("_count", "_sum", "_total")


def check(context: Context) -> None:
    for node in context.all(Binary):
        if node.left.type == node.right.type == "vector":
            if node.operator == "or":
                _constant_beside(context, node)
            elif not (_labels(context, node) or _values(context, node)):
                _missing_constant(context, node)


def includes(matching: Matching, label: str) -> bool:
    """Whether the label must be equal on both sides."""
    return (label in matching.labels) is matching.on


def keeps(node: Aggregation, label: str) -> bool:
    return (label in node.labels) is not node.without


# -- names of labels


def _labels(context: Context, node: Binary) -> bool:
    left, right = context.flows.of(node.left), context.flows.of(node.right)
    matching = node.matching
    if matching.on:
        for label in matching.labels:
            if can(left, label) != can(right, label):
                side = "right" if can(left, label) else "left"
                context.add(
                    "vector-match",
                    "error",
                    f"on ({label}): the {side} side has no label {label!r}, so nothing matches",
                    node,
                    f"keep {label} on both sides",
                )
                return True
        return False
    if matching.cardinality not in {"one-to-one", "many-to-many"}:
        return False
    ignored = frozenset(matching.labels)
    a, b = _exact(left, ignored), _exact(right, ignored)
    if a is None or b is None or a == b:
        return False
    context.add(
        "vector-match",
        "error",
        f"the sides have different labels ({_list(a)} and {_list(b)}), so nothing matches",
        node,
        "aggregate both by the same labels, or say on (…), with group_left where one side has more",
    )
    return True


def _exact(flow: Flow, ignored: frozenset[str]) -> frozenset[str] | None:
    """The one set of labels all branches are limited to; None when there is none such."""
    branch: Labels = flow[0]
    if len(flow) != 1 or branch.possible is None:
        return None
    return branch.possible - ignored


def _list(labels: frozenset[str]) -> str:
    return ", ".join(sorted(labels)) or "none"


# -- values of labels


def _values(context: Context, node: Binary) -> bool:
    """A label that matchers fix on each side, to another value."""
    (left, left_metric), (right, right_metric) = _fixed(node.left), _fixed(node.right)
    for label, value in left.items():
        other = right.get(label)
        if other is not None and other != value and includes(node.matching, label):
            _never_equal(context, node, label, f"{label} is {value!r} on the left and {other!r} on the right")
            return True
    for here, metric, side in ((left, right_metric, "right"), (right, left_metric, "left")):
        if "le" in here and metric.endswith(_PARTS_OF_HISTOGRAM) and includes(node.matching, "le"):
            _never_equal(context, node, "le", f"{metric} on the {side} has no label 'le'")
            return True
    return False


def _never_equal(context: Context, node: Binary, label: str, why: str) -> None:
    context.add(
        "vector-match",
        "error",
        f"{why}, so nothing matches",
        node,
        f"aggregate {label} away on both sides, or say ignoring ({label})",
    )


def _fixed(node: Expr) -> tuple[dict[str, str], str]:
    """The labels that `=` matchers fix in what the node gives, and the metric; nothing where that cannot be told."""
    lost: list[Aggregation] = []
    while not isinstance(node, VectorSelector):
        if isinstance(node, Aggregation):
            lost.append(node)
        operand = _same_labels(node)
        if operand is None:
            return {}, ""
        node = operand
    values = {
        matcher.name: matcher.value
        for matcher in node.matchers
        if matcher.operator == "=" and matcher.value and all(keeps(aggregation, matcher.name) for aggregation in lost)
    }
    return values, node.metric


def _same_labels(node: Expr) -> Expr | None:
    """The operand whose labels the node has, or some of them."""
    adds_label = isinstance(node, Aggregation) and node.operator == "count_values"
    if isinstance(node, Paren | Unary | Subquery | Aggregation) and not adds_label:
        return node.expr
    if isinstance(node, MatrixSelector):
        return node.vector
    if isinstance(node, Call) and node.name not in _CHANGES_LABELS:
        return next((argument for argument in node.arguments if argument.type in {"vector", "matrix"}), None)
    if isinstance(node, Binary) and (node.right.type == "scalar" or node.operator in {"and", "unless"}):
        return node.left
    return node.right if isinstance(node, Binary) and node.left.type == "scalar" else None


# -- constants beside vectors with labels


def _constant_beside(context: Context, node: Binary) -> None:
    """`… or vector(0)` where the other side has labels: it does not stand in for what is missing, it is one more."""
    for constant_side, other in ((node.right, node.left), (node.left, node.right)):
        if not _is_constant(constant_side) or (node.matching.on and not node.matching.labels):
            continue
        if _has_labels(context, other) and not _aggregated_away(context, node):
            context.add(
                "or-vector-labels",
                "warning",
                "the constant has no labels: it does not stand in for a series that is missing, but is one more series",
                constant_side,
                "aggregate all labels away first, or take 0 * another metric with the same labels",
            )
            return


def _missing_constant(context: Context, node: Binary) -> None:
    """`(… or on () vector(0)) / …`: where it stands in, it has no labels to match by."""
    matching = node.matching
    if matching.on or matching.cardinality != "one-to-one" or node.operator in {"and", "unless"}:
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        inner = strip_parens(side)
        if (
            isinstance(inner, Binary)
            and inner.operator == "or"
            and inner.matching.on
            and not inner.matching.labels
            and _is_constant(inner.right)
            and _has_labels(context, other)
        ):
            context.add(
                "or-vector-labels",
                "warning",
                "the constant has no labels, so it matches nothing on the other side",
                inner.right,
                "take 0 * another metric with the same labels",
            )
            return


def _is_constant(node: Expr) -> bool:
    """A vector of numbers alone: vector(0), 2 * vector(1), vector(0) > 5."""
    node = strip_parens(node)
    while isinstance(node, Binary) and (found := scaled(node)) is not None:
        node = strip_parens(found[0])
    return isinstance(node, Call) and node.name == "vector" and constant(node.arguments[0]) is not None


def _has_labels(context: Context, node: Expr) -> bool:
    """Some label is certain to be there: the result is grouped by one, or is made of series as they are scraped."""
    for branch in context.flows.of(node):
        if branch.possible is None:
            if not all(_is_scraped(selector) for selector in _ends(node)):
                return False
        elif branch.possible <= _MAYBE_EXTERNAL:
            return False
    return True


def _ends(node: Expr) -> Iterator[VectorSelector]:
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, VectorSelector):
            yield part
        elif isinstance(part, Binary):
            pending += [part.left, part.right]
        elif (operand := _same_labels(part)) is not None:
            pending.append(operand)


def _is_scraped(selector: VectorSelector) -> bool:
    """A recorded metric may have no labels at all."""
    return ":" not in selector.metric


def _aggregated_away(context: Context, node: Expr) -> bool:
    """An aggregation around it leaves no label, so that those of the constant do not matter."""
    for parent in context.ancestors(node):
        if isinstance(parent, Aggregation):
            return not parent.without and _MAYBE_EXTERNAL.issuperset(parent.labels)
        if (
            isinstance(parent, Binary)
            and parent.operator not in COMPARISONS
            and "scalar"
            not in {
                parent.left.type,
                parent.right.type,
            }
        ):
            return False
    return False
