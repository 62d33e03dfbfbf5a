# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TraceQL: a query to what it is made of.

A query is a pipeline of spansets that may end in metrics; pipelines in parentheses are operands of spanset
operators and of arithmetic. What an operand is (`_Kind`) decides which operator may follow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .._promql.errors import Kind as ErrorKind
from .._promql.errors import QueryError
from .._promql.literals import unquote
from .._promql.re2 import RegexError, matches_empty
from .._promql.token_parser import TokenParser
from . import fields, lexer
from .fields import Field
from .lexer import TraceQLError

__all__ = ["Query", "TraceQLError", "parse"]

_Kind = Literal["spanset", "pipeline", "filter", "scalar", "scalar pipeline", "number", "duration", "metrics", "stage"]
_STRUCTURE = frozenset({">", "<", ">>", "<<", "~", "!>", "!<", "!~", "!>>", "!<<", "&>", "&<", "&~", "&>>", "&<<"})
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_PRECEDENCE = {
    **dict.fromkeys(("&&", "||"), 1),
    **dict.fromkeys(_STRUCTURE | _COMPARISONS | {"=~"}, 2),
    "+": 3,
    "-": 3,
    **dict.fromkeys(("*", "/", "%"), 4),
    "^": 5,
}
_MULTIPLY = 4
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
_METRIC_ARITHMETIC = frozenset({"+", "-", "*", "/"})
_AGGREGATES = frozenset({"count", "avg", "max", "min", "sum"})
_METRICS = frozenset(
    {
        *("rate", "count_over_time", "min_over_time", "max_over_time", "avg_over_time", "sum_over_time"),
        *("quantile_over_time", "histogram_over_time", "compare"),
    }
)
_WITHOUT_ATTRIBUTE = frozenset({"rate", "count_over_time"})
_SECOND_STAGES = frozenset({"topk", "bottomk"})
_NUMBERS = frozenset({lexer.INTEGER, lexer.FLOAT})
_LARGEST = (1 << 63) - 1


@dataclass(slots=True)
class Query:
    """What a query refers to, and whether it gives metrics instead of traces."""

    attributes: list[str] = field(default_factory=list)
    """Attributes and intrinsics, as written: span.http.path, duration."""
    is_metrics: bool = False


@dataclass(slots=True)
class _Operand:
    kind: _Kind
    start: int
    wrapped: bool = False
    single: bool = True
    """One aggregate or one number, not an operation."""
    compares: bool = False
    """Metrics made by compare()."""


def parse(text: str) -> Query:
    """What the query refers to. TraceQLError when Tempo would refuse it."""
    return _Parser(text).run()


class _Parser(TokenParser):
    error_type = TraceQLError

    def __init__(self, text: str) -> None:
        super().__init__(text, lexer.tokenize)
        self.query = Query()
        self.refused: QueryError | None = None
        """The first complaint about a query that can be parsed."""

    def run(self) -> Query:
        with self._brackets_blamed():
            operand = self._pipeline()
            self._hints()
            self._expect_end()
        if operand.kind in {"scalar", "scalar pipeline", "number", "duration"}:
            raise self._error(f"a {operand.kind} is no query: compare it, or start with a selection such as {{}}", 0)
        if self.refused is not None:
            raise self.refused
        self.query.is_metrics = operand.kind == "metrics"
        return self.query

    # -- helpers

    def _refuse(self, message: str, start: int, kind: ErrorKind = "type") -> None:
        if self.refused is None:
            self.refused = self._error(message, start, kind)

    def _hints(self) -> None:
        while self._word() == "with":
            self.at += 1
            self._expect("(")
            while True:
                self._expect(lexer.WORD)
                self._expect("=")
                if self.kinds[self.at] not in {*_NUMBERS, lexer.STRING, lexer.DURATION} and (
                    self._word() not in fields.CONSTANTS
                ):
                    raise self._unexpected("a value")
                self.at += 1
                if self._accept(")"):
                    break
                self._expect(",")

    # -- pipelines

    def _pipeline(self) -> _Operand:
        """Stages joined by |; the last one decides what the whole is."""
        self._enter()
        left = self._operation(1)
        while self.kinds[self.at] == "|":
            self.at += 1
            left = self._stage(left)
        self.depth -= 1
        return left

    def _stage(self, left: _Operand) -> _Operand:
        start, word = self.starts[self.at], self._word()
        if left.kind == "metrics":
            if word not in _SECOND_STAGES:
                raise self._unexpected("topk() or bottomk()")
            self._second_stage(left, start)
            return self._compared(left)
        if left.kind not in {"spanset", "filter", "stage"}:
            raise self._error(f"a {left.kind} cannot be piped into the next stage")
        if word == "coalesce":
            self.at += 1
            self._expect("(")
            self._expect(")")
            return _Operand("stage", left.start)
        if word in _METRICS:
            return self._compared(self._metrics(word, start))
        stage = self._operation(1)
        if stage.kind == "scalar" and stage.single:
            return _Operand("scalar pipeline", left.start)
        if stage.kind not in {"spanset", "filter", "stage"}:
            raise self._error(f"a {stage.kind} cannot be a stage of a pipeline", start)
        return _Operand(stage.kind if stage.kind != "spanset" else "filter", left.start)

    def _second_stage(self, left: _Operand, start: int) -> None:
        self.at += 1
        self._expect("(")
        count = self._integer()
        self._expect(")")
        if left.compares:
            self._refuse("compare() cannot be used with second stage functions", start)
        if count == 0:
            self._refuse("the limit must be greater than 0", start)

    def _compared(self, metrics: _Operand) -> _Operand:
        """`> 10` behind metrics that stand in a pipeline."""
        while self.kinds[self.at] in _COMPARISONS:
            start, operator = self.starts[self.at], self.kinds[self.at]
            self.at += 1
            metrics = self._operate(operator, start, metrics, self._operation(_PRECEDENCE["+"]))
        return metrics

    # -- operators between pipelines, aggregates and numbers

    def _operation(self, lowest: int) -> _Operand:
        self._enter()
        left = self._operand()
        while (precedence := _PRECEDENCE.get(self.kinds[self.at], 0)) >= lowest:
            operator, start = self.kinds[self.at], self.starts[self.at]
            self.at += 1
            right = self._operation(precedence + (operator != "^"))
            left = self._operate(operator, start, left, right)
        self.depth -= 1
        return left

    def _operate(self, operator: str, start: int, left: _Operand, right: _Operand) -> _Operand:
        if operator in _STRUCTURE | {"&&", "||"}:
            joined = _spansets(left, right)
            if joined is not None:
                return _Operand(joined, left.start)
        kinds = {left.kind, right.kind}
        if operator in _COMPARISONS:
            compared = self._compare(left, right, start)
            if compared is not None:
                return compared
        elif operator in _METRIC_ARITHMETIC and "metrics" in kinds and kinds <= {"metrics", "number"}:
            if all(side.wrapped or side.kind == "number" for side in (left, right)):
                if left.compares or right.compares:
                    self._refuse("compare() cannot be used in arithmetic", start)
                return _Operand("metrics", left.start, wrapped=True)
        elif operator in _ARITHMETIC:
            done = _arithmetic(kinds)
            if done is not None:
                return _Operand(done, left.start, single=done == "number")
        raise self._error(f"operator {operator!r} cannot stand between a {left.kind} and a {right.kind}", start)

    def _compare(self, left: _Operand, right: _Operand, start: int) -> _Operand | None:
        if left.kind == "metrics" and (right.kind == "number" or (right.kind == "duration" and right.single)):
            if right.kind == "duration" and right.wrapped:
                return None
            if left.compares:
                self._refuse("compare() cannot be compared with a number", start)
            return _Operand("metrics", left.start, wrapped=True)
        if left.kind == "scalar" and right.kind in {"scalar", "number", "duration"}:
            if right.kind == "scalar" or not left.single:
                self._refuse("only an aggregate and a number can be compared yet", start, "feature")
            return _Operand("filter", left.start)
        if left.kind == "scalar pipeline" and (
            right.kind == "scalar pipeline" or (right.kind in {"number", "duration"} and right.single)
        ):
            if right.kind == "scalar pipeline" or not left.single:
                self._refuse("operations between pipelines are not supported yet", start, "feature")
            return _Operand("filter", left.start)
        return None

    def _operand(self) -> _Operand:
        kind, start = self.kinds[self.at], self.starts[self.at]
        if kind == "(":
            self.at += 1
            inner = self._pipeline()
            self._expect(")")
            return _wrapped(inner)
        if kind == "{":
            self._filter()
            return _Operand("spanset", start)
        if kind == "-" or kind in _NUMBERS or kind == lexer.DURATION:
            return self._constant(start)
        return self._call(self._word(), start)

    def _constant(self, start: int) -> _Operand:
        self._accept("-")
        if self._accept(lexer.DURATION):
            return _Operand("duration", start)
        self._number()
        return _Operand("number", start)

    def _call(self, word: str, start: int) -> _Operand:
        if word in _AGGREGATES:
            self._aggregate(word, start)
            return _Operand("scalar", start)
        if word == "by":
            self.at += 1
            self._expect("(")
            grouped = self._field(1)
            self._expect(")")
            if not grouped.of_span:
                self._refuse("what is grouped by must refer to the span", start)
            return _Operand("stage", start)
        if word == "select":
            self.at += 1
            self._attributes()
            return _Operand("stage", start)
        raise self._unexpected("a selection such as {}, an aggregate or a number")

    def _number(self) -> float:
        if self.kinds[self.at] == lexer.INTEGER:
            return self._integer()
        return float(self._expect(lexer.FLOAT))

    def _integer(self) -> int:
        start, text = self.starts[self.at], self._expect(lexer.INTEGER)
        if len(text) > 19 or int(text) > _LARGEST:
            raise self._error(f"number {text[:24]} is out of range", start)
        return int(text)

    def _aggregate(self, word: str, start: int) -> None:
        self.at += 1
        self._expect("(")
        if word != "count":
            value = self._field(1)
            if value.type != "any" and value.type not in fields.NUMERIC:
                self._refuse(f"{word}() needs a number, not a {value.type}", start)
            if not value.of_span:
                self._refuse(f"what {word}() aggregates must refer to the span", start)
        self._expect(")")

    # -- metrics

    def _metrics(self, word: str, start: int) -> _Operand:
        self.at += 1
        self._expect("(")
        if word == "compare":
            self._compare_arguments()
            return _Operand("metrics", start, compares=True)
        if word not in _WITHOUT_ATTRIBUTE:
            self._attribute()
        if word == "quantile_over_time":
            self._expect(",")
            self._number()
            while self._accept(","):
                self._number()
        self._expect(")")
        if self._word() == "by":
            self.at += 1
            self._attributes()
        return _Operand("metrics", start)

    def _compare_arguments(self) -> None:
        self._filter()
        if self._accept(","):
            self._integer()
            if self._accept(","):
                self._integer()
                self._expect(",")
                self._integer()
        self._expect(")")

    def _attributes(self) -> None:
        self._expect("(")
        self._attribute()
        while self._accept(","):
            self._attribute()
        self._expect(")")

    def _attribute(self) -> Field:
        kind, text, start = self.kinds[self.at], self.texts[self.at], self.starts[self.at]
        if kind == lexer.ATTRIBUTE:
            if text.startswith("parent."):
                self._refuse("parent is not supported yet", start, "feature")
            found = Field("any", of_span=True, text=text)
        elif kind in {lexer.INTRINSIC, lexer.WORD} and text in fields.INTRINSICS:
            if text in fields.UNSUPPORTED_INTRINSICS:
                self._refuse(f"{text} is not supported yet", start, "feature")
            found = Field(fields.INTRINSICS[text], of_span=True, text=text)
        else:
            raise self._unexpected("an attribute")
        self.at += 1
        self.query.attributes.append(text)
        return found

    # -- field expressions

    def _filter(self) -> None:
        self._expect("{")
        if self._accept("}"):
            return
        start = self.starts[self.at]
        value = self._field(1)
        self._expect("}")
        if value.type not in {"any", "bool"}:
            self._refuse(f"a selection needs a condition, not a {value.type}", start)

    def _field(self, lowest: int) -> Field:
        self._enter()
        left = self._field_operand()
        while (precedence := self._field_precedence()) >= lowest:
            operator, start = self.kinds[self.at], self.starts[self.at]
            self.at += 1
            right = self._field(precedence + (operator != "^"))
            self._check(operator, left, right, start)
            left = Field(fields.result(operator, left.type, right.type), left.of_span or right.of_span)
        self.depth -= 1
        return left

    def _field_precedence(self) -> int:
        operator = self.kinds[self.at]
        if operator in fields.BOOLEAN_OPERATORS or operator in _ARITHMETIC:
            return _PRECEDENCE[operator]
        return 0

    def _check(self, operator: str, left: Field, right: Field, start: int) -> None:
        if "nil" in {left.type, right.type}:
            self._check_nil(operator, left, right, start)
        elif not fields.match(left.type, right.type):
            self._refuse(f"{operator} needs operands of one type, not {left.type} and {right.type}", start)
        elif not (fields.takes(operator, left.type) and fields.takes(operator, right.type)):
            self._refuse(f"{operator} cannot be used with {left.type} and {right.type}", start)
        elif operator in {"=~", "!~"} and right.constant is not None:
            try:
                matches_empty(right.constant)
            except RegexError as error:
                self._refuse(f"invalid regex: {error.message}", start)

    def _check_nil(self, operator: str, left: Field, right: Field, start: int) -> None:
        other = left if right.type == "nil" else right
        if operator not in {"=", "!="}:
            self._refuse(f"nil cannot be compared with {operator}", start)
        elif operator == "=" and other.type != "nil" and (other.type != "any" or other.text in fields.NEVER_NIL):
            self._refuse(f"{other.text or 'a value'} is never nil", start)

    def _field_operand(self) -> Field:
        kind, text, start = self.kinds[self.at], self.texts[self.at], self.starts[self.at]
        if kind == "(":
            self.at += 1
            inner = self._field(1)
            self._expect(")")
            return inner
        if kind in {"-", "!"}:
            self.at += 1
            return self._unary(kind, self._field(_MULTIPLY), start)
        if kind == lexer.STRING:
            return self._string(text, start)
        return self._plain(kind, text)

    def _string(self, text: str, start: int) -> Field:
        self.at += 1
        try:
            return Field("string", constant=unquote(text))
        except ValueError as error:
            raise self._error(str(error), start) from None

    def _plain(self, kind: str, text: str) -> Field:
        if kind in _NUMBERS:
            self._number()
            return Field("int" if kind == lexer.INTEGER else "float")
        if kind == lexer.DURATION:
            self.at += 1
            return Field("duration")
        if kind == lexer.WORD and text in fields.CONSTANTS:
            self.at += 1
            return Field(fields.CONSTANTS[text])
        return self._attribute()

    def _unary(self, operator: str, operand: Field, start: int) -> Field:
        wanted = fields.NUMERIC if operator == "-" else {"bool"}
        if operand.type != "any" and operand.type not in wanted:
            self._refuse(f"{operator} cannot be used with a {operand.type}", start)
        return Field("bool" if operator == "!" else operand.type, operand.of_span)


def _wrapped(inner: _Operand) -> _Operand:
    """An operand in parentheses: a pipeline of spansets can then be joined with another."""
    if inner.kind in {"filter", "stage"}:
        return _Operand("pipeline", inner.start, wrapped=True)
    return _Operand(inner.kind, inner.start, wrapped=True, single=inner.single, compares=inner.compares)


def _spansets(left: _Operand, right: _Operand) -> _Kind | None:
    """What && and the structural operators make of their operands; None when they do not take them."""
    if left.kind == right.kind == "spanset":
        return "spanset"
    if all(side.kind == "pipeline" or (side.kind == "spanset" and side.wrapped) for side in (left, right)):
        return "pipeline"
    return None


def _arithmetic(kinds: set[_Kind]) -> _Kind | None:
    if kinds == {"scalar pipeline"}:
        return "scalar pipeline"
    if kinds <= {"scalar", "number", "duration"}:
        return "scalar" if "scalar" in kinds else "number" if kinds == {"number"} else "duration"
    return None
