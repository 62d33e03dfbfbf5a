# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PromQL: text to typed syntax tree, by precedence climbing.

The language accepted is the one of Prometheus' own LALR grammar, including what its conflict resolution makes
of it: modifiers bind tightest, a number behind `offset` ends the offset, a parenthesis there does not.
Types are checked while the tree is built, so a chain of any length needs no recursion.
"""

from __future__ import annotations

import math
from typing import Literal, cast

from . import lexer
from .brackets import cause
from .errors import Kind, PromQLError
from .functions import AGGREGATOR_PARAMETER, AGGREGATORS, EXPERIMENTAL_AGGREGATORS, FUNCTIONS, Function, ValueType
from .literals import parse_duration, parse_number, unquote
from .nodes import (
    COMPARISONS,
    METRIC_NAME,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Duration,
    DurationExpr,
    Expr,
    Matcher,
    Matching,
    MatchOperator,
    MatrixSelector,
    Modifiers,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from .profile import DURATION_EXPRESSIONS, EXPERIMENTAL_FUNCTIONS, EXTENDED_RANGES, FILL_MODIFIERS, Profile
from .re2 import RegexError, matches_empty

MAX_LENGTH = 524_288
"""Longer than any PrometheusRule may be."""
MAX_NESTING = 100

_PRECEDENCE = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "</", ">/"), 3),
    "+": 4,
    "-": 4,
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
_POWER = 6
_DURATION_PRECEDENCE = {"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6}
_INSTANT = frozenset({"scalar", "vector"})
_MATCH_OPERATORS = frozenset({"=", "!=", "=~", "!~"})

_MODIFIER_WORDS = frozenset({"offset", "anchored", "smoothed"})
_FILL_WORDS = frozenset({"fill", "fill_left", "fill_right"})
_NUMBER_WORDS = frozenset({"inf", "nan"})
_NOT_METRICS = frozenset({"atan2", "bool", "group_left", "group_right", "ignoring", "on"}) | _NUMBER_WORDS
_NOT_LABELS = frozenset({"without"}) | _NUMBER_WORDS
_DURATION_FUNCTIONS = {"step": ((3, 6), 0), "range": ((3, 12), 0), "max_of": ((3, 13), 2), "min_of": ((3, 13), 2)}

_TYPE_NAMES: dict[str, str] = {"vector": "instant vector", "matrix": "range vector"}
_LONGEST_SECONDS = (1 << 63) / 1e9
_LATEST_TIMESTAMP = float((1 << 63) - 1)


def parse(text: str, profile: Profile | None = None) -> Expr:
    """The tree of the expression. PromQLError when this Prometheus would refuse it."""
    if len(text) > MAX_LENGTH:
        raise PromQLError(f"expression is longer than {MAX_LENGTH} characters", MAX_LENGTH, text, "limit")
    return _Parser(text, profile or _DEFAULT).run()


_DEFAULT = Profile()


class _Parser:
    __slots__ = ("at", "depth", "empty_selectors", "kinds", "profile", "starts", "text", "texts")

    def __init__(self, text: str, profile: Profile) -> None:
        tokens = lexer.tokenize(text, profile)
        self.text = text
        self.profile = profile
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.starts = tokens.starts
        self.at = 0
        self.depth = 0
        self.empty_selectors: list[VectorSelector] = []
        """Selectors that could match every series: allowed as the second argument of info() only."""

    def run(self) -> Expr:
        try:
            return self._whole()
        except PromQLError as error:
            raise cause(error, lexer.Tokens(self.kinds, self.texts, self.starts)) from None

    def _whole(self) -> Expr:
        if self.kinds[0] == lexer.END:
            raise self._error("no expression found in input", 0)
        expr = self._expression(1)
        if self.kinds[self.at] != lexer.END:
            raise self._unexpected()
        for selector in self.empty_selectors:
            raise self._error(
                "vector selector must contain at least one non-empty matcher", selector.start, kind="type"
            )
        return expr

    # -- helpers

    def _error(self, message: str, position: int | None = None, kind: Kind = "syntax") -> PromQLError:
        return PromQLError(message, self.starts[self.at] if position is None else position, self.text, kind)

    def _unexpected(self, context: str = "", expected: str = "") -> PromQLError:
        kind = self.kinds[self.at]
        what = "end of input" if kind == lexer.END else f"{self.texts[self.at][:20]!r}"
        where = f" in {context}" if context else ""
        wanted = f", expected {expected}" if expected else ""
        return self._error(f"unexpected {what}{where}{wanted}")

    def _expect(self, sign: str, context: str) -> None:
        if self.kinds[self.at] != sign:
            raise self._unexpected(context, repr(sign))
        self.at += 1

    def _accept(self, sign: str) -> bool:
        if self.kinds[self.at] == sign:
            self.at += 1
            return True
        return False

    def _word(self) -> str:
        """The token in lower case when it is a word, else ""."""
        return self.texts[self.at].lower() if self.kinds[self.at] == lexer.WORD else ""

    def _end(self) -> int:
        """Where the last token read ends."""
        return self.starts[self.at - 1] + len(self.texts[self.at - 1])

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._error(f"expression nests deeper than {MAX_NESTING} levels", kind="limit")

    def _feature(self, feature: str, what: str, position: int) -> None:
        if not self.profile.allows(feature):
            raise self._error(
                f"{what} is experimental and must be enabled with --enable-feature={feature}", position, "feature"
            )

    def _check_type(self, expr: Expr, wanted: ValueType, context: str) -> None:
        if expr.type != wanted:
            raise self._error(
                f"expected type {_type_name(wanted)} in {context}, got {_type_name(expr.type)}", expr.start, "type"
            )

    # -- operators

    def _expression(self, lowest: int) -> Expr:
        self._enter()
        left = self._operand()
        while True:
            operator = self.kinds[self.at]
            if operator == lexer.WORD:
                operator = self.texts[self.at].lower()
            precedence = _PRECEDENCE.get(operator)
            if precedence is None or precedence < lowest:
                break
            start = self.starts[self.at]
            self.at += 1
            return_bool = self._word() == "bool"
            if return_bool:
                self.at += 1
            matching = self._matching()
            right = self._expression(precedence + (operator != "^"))
            left = self._checked(Binary(operator, left, right, return_bool, matching, start))
        self.depth -= 1
        return left

    def _operand(self) -> Expr:
        kind = self.kinds[self.at]
        if kind in {"+", "-"}:
            return self._unary()
        expr = self._primary(kind)
        while True:
            kind = self.kinds[self.at]
            if kind == "[":
                expr = self._range(expr)
            elif kind == "@":
                self._at_modifier(expr)
            elif kind == lexer.WORD and self.texts[self.at].lower() in _MODIFIER_WORDS:
                if not self._modifier(expr):
                    return expr
            else:
                return expr

    def _unary(self) -> Expr:
        operator: Literal["+", "-"] = "+" if self.kinds[self.at] == "+" else "-"
        start = self.starts[self.at]
        self.at += 1
        expr = self._expression(_POWER)
        if isinstance(expr, Number):
            return Number(-expr.value if operator == "-" else expr.value, start, expr.end, expr.is_duration)
        if expr.type not in _INSTANT:
            raise self._error(
                "unary expression only allowed on expressions of type scalar or instant vector,"
                f" got {_type_name(expr.type)}",
                start,
                "type",
            )
        return Unary(operator, expr, start)

    def _matching(self) -> Matching:
        word = self._word()
        if word not in {"on", "ignoring"}:
            return _PLAIN if word not in _FILL_WORDS else self._fill(Matching())
        self.at += 1
        matching = Matching(on=word == "on", labels=self._labels())
        word = self._word()
        if word in {"group_left", "group_right"}:
            self.at += 1
            matching.cardinality = "many-to-one" if word == "group_left" else "one-to-many"
            if self.kinds[self.at] == "(":
                matching.include = self._labels()
            word = self._word()
        return self._fill(matching) if word in _FILL_WORDS else matching

    def _fill(self, matching: Matching) -> Matching:
        allowed = set(_FILL_WORDS)
        while (word := self._word()) in allowed and self._fills():
            self._feature(FILL_MODIFIERS, f"{word}()", self.starts[self.at])
            self.at += 2
            sign = -1 if self.kinds[self.at] == "-" else 1
            if self.kinds[self.at] in {"+", "-"}:
                self.at += 1
            value = sign * self._number("fill value").value
            self._expect(")", "fill value")
            allowed -= {word, "fill"}
            if word != "fill_right":
                matching.fill_left = value
            if word != "fill_left":
                matching.fill_right = value
            if word == "fill":
                break
        return matching

    def _fills(self) -> bool:
        """`fill` is a metric's name unless a parenthesis follows, with nothing but blanks between."""
        end = self.starts[self.at] + len(self.texts[self.at])
        between = self.text[end : self.starts[self.at + 1]]
        return self.kinds[self.at + 1] == "(" and not between.strip() and self.profile.knows((3, 10))

    def _checked(self, node: Binary) -> Binary:
        operator, start = node.operator, node.operator_start
        left, right = node.left.type, node.right.type
        if operator in {"</", ">/"} and not self.profile.knows((3, 11)):
            raise self._error(f"operator {operator!r} needs Prometheus 3.11", start, "feature")
        if left not in _INSTANT or right not in _INSTANT:
            side = node.right if left in _INSTANT else node.left
            raise self._error("binary expression must contain only scalar and instant vector types", side.start, "type")
        if node.return_bool and operator not in COMPARISONS:
            raise self._error("bool modifier can only be used on comparison operators", start, "type")
        if left == right == "scalar":
            node.type = "scalar"
            if operator in COMPARISONS and not node.return_bool:
                raise self._error("comparisons between scalars must use BOOL modifier", start, "type")
        if node.matching is not _PLAIN:
            self._check_matching(operator, start, node.matching, vectors=left == right == "vector")
        if operator in SET_OPERATORS:
            if "scalar" in {left, right}:
                raise self._error(f"set operator {operator!r} not allowed in binary scalar expression", start, "type")
            node.matching = Matching(node.matching.on, node.matching.labels, "many-to-many")
        return node

    def _check_matching(self, operator: str, start: int, matching: Matching, *, vectors: bool) -> None:
        if matching.on:
            for label in matching.include:
                if label in matching.labels:
                    raise self._error(f"label {label!r} must not occur in ON and GROUP clause at once", start, "type")
        filled = matching.fill_left is not None or matching.fill_right is not None
        if not vectors and matching.labels:
            raise self._error("vector matching only allowed between instant vectors", start, "type")
        if filled and (not vectors or operator in SET_OPERATORS):
            raise self._error("missing series are filled in between instant vectors only", start, "type")
        if vectors and operator in SET_OPERATORS and matching.cardinality != "one-to-one":
            raise self._error(f"no grouping allowed for {operator!r} operation", start, "type")

    # -- operands

    def _primary(self, kind: str) -> Expr:
        if kind == lexer.WORD:
            return self._named()
        if kind == "(":
            start = self.starts[self.at]
            self.at += 1
            expr = self._expression(1)
            self._expect(")", "parentheses")
            return Paren(expr, start, self._end(), expr.type)
        if kind == "{":
            return self._selector("", self.starts[self.at])
        if kind in {lexer.NUMBER, lexer.DURATION}:
            return self._number("expression")
        if kind == lexer.STRING:
            start = self.starts[self.at]
            return String(self._string(), start, self._end())
        raise self._unexpected()

    def _number(self, context: str) -> Number:
        kind, text, start = self.kinds[self.at], self.texts[self.at], self.starts[self.at]
        try:
            if kind == lexer.DURATION:
                value = parse_duration(text)
            elif kind == lexer.NUMBER or text.lower() in _NUMBER_WORDS:
                end = start + len(text)
                value = parse_number(text, self.text[end : end + 1])
            else:
                raise self._unexpected(context, "number or duration")
        except PromQLError:
            raise
        except ValueError as error:
            raise self._error(str(error), start) from None
        self.at += 1
        return Number(value, start, start + len(text), kind == lexer.DURATION)

    def _string(self) -> str:
        token, start = self.texts[self.at], self.starts[self.at]
        if not token.isascii() and any(char == "\ufffd" or 0xD800 <= ord(char) < 0xE000 for char in token):
            raise self._error("invalid UTF-8 rune", start)
        try:
            value = unquote(token)
        except ValueError as error:
            raise self._error(str(error), start) from None
        self.at += 1
        return value

    def _named(self) -> Expr:
        """What begins with a word: number, aggregation, function call or selector."""
        start, name = self.starts[self.at], self.texts[self.at]
        lowered = name.lower()
        if lowered in _NUMBER_WORDS:
            return self._number("expression")
        self.at += 1
        following = self.kinds[self.at]
        if lowered in AGGREGATORS and (following == "(" or self._word() in {"by", "without"}):
            return self._aggregation(lowered, start)
        if following == "(":
            return self._call(name, start)
        if lowered in _NOT_METRICS:
            self.at -= 1
            raise self._unexpected()
        return self._selector(name, start)

    def _call(self, name: str, start: int) -> Call:
        function = FUNCTIONS.get(name)
        if function is None or not self.profile.knows(function.since):
            since = "" if function is None else f" (it is known since Prometheus 3.{function.since[1]})"
            raise self._error(f"unknown function with name {name!r}{since}", start, "type")
        if not function.usable(self.profile):
            self._feature(EXPERIMENTAL_FUNCTIONS, f"function {name!r}", start)
        arguments = self._arguments()
        call = Call(function, arguments, start, self._end())
        self._check_call(function, arguments, start)
        return call

    def _arguments(self) -> list[Expr]:
        self._expect("(", "call")
        arguments: list[Expr] = []
        if self._accept(")"):
            return arguments
        while True:
            arguments.append(self._expression(1))
            if self._accept(")"):
                return arguments
            self._expect(",", "call")
            if self.kinds[self.at] == ")":
                raise self._error("trailing commas not allowed in function call args")

    def _check_call(self, function: Function, arguments: list[Expr], start: int) -> None:
        count, name = len(arguments), function.name
        if count < function.required:
            at_least = "at least " if function.optional else ""
            raise self._error(
                f"expected {at_least}{function.required} argument(s) in call to {name!r}, got {count}", start, "type"
            )
        if function.maximum is not None and count > function.maximum:
            at_most = "at most " if function.optional else ""
            raise self._error(
                f"expected {at_most}{function.maximum} argument(s) in call to {name!r}, got {count}", start, "type"
            )
        for index, argument in enumerate(arguments):
            self._check_type(argument, function.argument_type(index), f"call to function {name!r}")
        if name == "info" and count > 1:
            self._check_info(arguments[1])

    def _check_info(self, labels: Expr) -> None:
        if not isinstance(labels, VectorSelector) or labels.name:
            raise self._error("expected label selectors only", labels.start, "type")
        self.empty_selectors = [selector for selector in self.empty_selectors if selector is not labels]

    def _aggregation(self, operator: str, start: int) -> Aggregation:
        labels: tuple[str, ...] = ()
        grouping = self._word()
        if grouping:
            self.at += 1
            labels = self._labels()
        arguments = self._arguments()
        if not grouping and (grouping := self._word()) in {"by", "without"}:
            self.at += 1
            labels = self._labels()
        wanted = 2 if operator in AGGREGATOR_PARAMETER else 1
        if operator in EXPERIMENTAL_AGGREGATORS:
            self._feature(EXPERIMENTAL_FUNCTIONS, f"{operator}()", start)
        if len(arguments) != wanted:
            raise self._error(
                f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(arguments)}",
                start,
                "type",
            )
        parameter = arguments[0] if wanted > 1 else None
        self._check_type(arguments[-1], "vector", "aggregation expression")
        if parameter is not None:
            self._check_type(parameter, AGGREGATOR_PARAMETER[operator], "aggregation parameter")
        return Aggregation(operator, arguments[-1], parameter, labels, grouping == "without", start, self._end())

    def _labels(self) -> tuple[str, ...]:
        self._expect("(", "grouping opts")
        labels: list[str] = []
        while not self._accept(")"):
            if self.kinds[self.at] == lexer.STRING:
                label = self._string()
                if not label or not _is_utf8(label):
                    raise self._error(f"invalid label name for grouping: {label!r}", self.starts[self.at - 1])
                labels.append(label)
            elif self.kinds[self.at] == lexer.WORD and self._word() not in _NOT_LABELS:
                labels.append(self.texts[self.at])
                self.at += 1
            else:
                raise self._unexpected("grouping opts", "label")
            if self.kinds[self.at] != ")":
                self._expect(",", "grouping opts")
        return tuple(labels)

    # -- selectors

    def _selector(self, name: str, start: int) -> VectorSelector:
        matchers: list[Matcher] = []
        if self.kinds[self.at] == "{":
            self.at += 1
            while not self._accept("}"):
                matchers.append(self._matcher())
                if self.kinds[self.at] != "}":
                    self._expect(",", "label matching")
        selector = VectorSelector(name, matchers, start, self._end())
        if name:
            for matcher in matchers:
                if matcher.name == METRIC_NAME:
                    raise self._error(
                        f"metric name must not be set twice: {name!r} or {matcher.value!r}", start, "type"
                    )
        elif all(_accepts_empty(matcher) for matcher in matchers):
            self.empty_selectors.append(selector)
        return selector

    def _matcher(self) -> Matcher:
        at = self.at
        start, name = self.starts[at], self.texts[at]
        quoted = self.kinds[at] == lexer.STRING
        if quoted:
            name = self._string()
            if self.kinds[self.at] not in _MATCH_OPERATORS:
                return Matcher(METRIC_NAME, "=", name, start, self._end())
        elif self.kinds[at] == lexer.WORD and ":" not in name:
            self.at += 1
        else:
            raise self._unexpected("label matching", "identifier or '}'")
        operator = self.kinds[self.at]
        if operator not in _MATCH_OPERATORS:
            raise self._unexpected("label matching", "label matching operator")
        self.at += 1
        if self.kinds[self.at] != lexer.STRING:
            raise self._unexpected("label matching", "string")
        value = self._string()
        if operator in {"=~", "!~"}:
            try:
                matches_empty(value)
            except RegexError as error:
                raise self._error(f"error parsing regexp: {error.message}", start) from None
        checked: MatchOperator = cast("MatchOperator", operator)
        return Matcher(name, checked, value, start, self._end())

    # -- ranges and modifiers

    def _range(self, expr: Expr) -> MatrixSelector | Subquery:
        bracket = self.starts[self.at]
        self.at += 1
        range_ = self._positive(self._duration(1))
        if self._accept(":"):
            step = None if self.kinds[self.at] == "]" else self._positive(self._duration(1))
            self._expect("]", "subquery selector")
            if expr.type != "vector":
                raise self._error(
                    f"subquery is only allowed on instant vector, got {_type_name(expr.type)} instead",
                    expr.start,
                    "type",
                )
            return Subquery(expr, range_, step, expr.start, self._end())
        self._expect("]", "subquery or range")
        if not isinstance(expr, VectorSelector):
            raise self._error("ranges only allowed for vector selectors", bracket, "type")
        if expr.modifiers is not None:
            self._check_modifiers_before_range(expr.modifiers, bracket)
        return MatrixSelector(expr, range_, expr.start, self._end())

    def _check_modifiers_before_range(self, modifiers: Modifiers, bracket: int) -> None:
        strict = self.profile.knows((3, 15))
        offset, at = modifiers.offset, modifiers.at
        if _is_set(offset) and (strict or isinstance(offset, Number)):
            raise self._error("no offset modifiers allowed before range", bracket, "type")
        if at is not None and (strict or not isinstance(at, str)):
            raise self._error("no @ modifiers allowed before range", bracket, "type")

    def _positive(self, duration: Duration) -> Duration:
        if isinstance(duration, Number) and duration.value <= 0:
            raise self._error("duration must be greater than 0", duration.start, "type")
        return duration

    def _modifiers(self, expr: Expr, what: str) -> Modifiers:
        """The modifiers that a keyword behind the expression belongs to."""
        target = expr.vector if isinstance(expr, MatrixSelector) else expr
        if not isinstance(target, VectorSelector | Subquery):
            raise self._error(
                f"{what} must be preceded by an instant vector selector or range vector selector or a subquery",
                expr.start,
                "type",
            )
        if target.modifiers is None:
            target.modifiers = Modifiers()
        return target.modifiers

    def _close(self, expr: Expr) -> None:
        """A modifier belongs to the selector: its text ends behind it."""
        if isinstance(expr, VectorSelector | MatrixSelector | Subquery):
            expr.end = self._end()

    def _modifier(self, expr: Expr) -> bool:
        """Reads `offset d`, `anchored` or `smoothed`; False when the word is none in this version."""
        word = self._word()
        if word == "offset":
            self.at += 1
            modifiers = self._modifiers(expr, "offset modifier")
            offset = self._offset()
            if _is_set(modifiers.offset):
                raise self._error("offset may not be set multiple times", expr.start, "type")
            modifiers.offset = offset
        else:
            if not self.profile.knows((3, 7)):
                return False
            self._feature(EXTENDED_RANGES, f"{word} modifier", self.starts[self.at])
            if isinstance(expr, Subquery):
                raise self._error(f"{word} modifier is not supported for subqueries", expr.start, "type")
            modifiers = self._modifiers(expr, f"{word} modifier")
            self.at += 1
            if modifiers.extended and modifiers.extended != word:
                raise self._error("anchored and smoothed modifiers cannot be used together", expr.start, "type")
            modifiers.extended = "anchored" if word == "anchored" else "smoothed"
        self._close(expr)
        return True

    def _at_modifier(self, expr: Expr) -> None:
        self.at += 1
        modifiers = self._modifiers(expr, "@ modifier")
        at: float | Literal["start", "end"]
        word = self._word()
        if word in {"start", "end"}:
            self.at += 1
            self._expect("(", "@")
            self._expect(")", "@")
            at = "start" if word == "start" else "end"
        else:
            sign = -1.0 if self.kinds[self.at] == "-" else 1.0
            if self.kinds[self.at] in {"+", "-"}:
                self.at += 1
            number = self._number("@")
            at = sign * number.value
            if not abs(at) < _LATEST_TIMESTAMP:
                raise self._error(f"timestamp out of bounds for @ modifier: {at}", number.start, "type")
        if modifiers.at is not None:
            raise self._error("@ <timestamp> may not be set multiple times", expr.start, "type")
        modifiers.at = at
        self._close(expr)

    # -- durations

    def _offset(self) -> Duration:
        """What may follow `offset`: arithmetic goes on behind a parenthesis or a double sign only."""
        at, start = self.at, self.starts[self.at]
        sign = self.kinds[at] if self.kinds[at] in {"+", "-"} else ""
        if sign:
            self.at += 1
        kind = self.kinds[self.at]
        if kind not in {lexer.NUMBER, lexer.DURATION, lexer.WORD} and not (sign and kind == "("):
            self.at = at
            return self._duration(1)
        operand = self._duration_operand()
        return self._signed(sign, operand, start) if sign else operand

    def _duration(self, lowest: int) -> Duration:
        self._enter()
        length = 0
        left = self._duration_operand()
        while (precedence := _DURATION_PRECEDENCE.get(self.kinds[self.at], 0)) >= lowest:
            operator, start = self.kinds[self.at], self.starts[self.at]
            self.at += 1
            length += 1
            if length > MAX_NESTING:
                raise self._error(f"duration has more than {MAX_NESTING} operators in a row", start, "limit")
            self._feature(DURATION_EXPRESSIONS, "a duration expression", start)
            right = self._duration(precedence + (operator != "^"))
            if operator in {"/", "%"} and isinstance(right, Number) and right.value == 0:
                raise self._error(f"{'division' if operator == '/' else 'modulo'} by zero", start, "type")
            left = DurationExpr(operator, (left, right), left.start, right.end)
        self.depth -= 1
        return left

    def _duration_operand(self) -> Duration:
        kind, start = self.kinds[self.at], self.starts[self.at]
        if kind in {"+", "-"}:
            self.at += 1
            return self._signed(kind, self._duration(_POWER), start)
        if kind == "(":
            self.at += 1
            self._feature(DURATION_EXPRESSIONS, "a duration expression", start)
            inner = self._duration(1)
            self._expect(")", "duration expression")
            if isinstance(inner, Number) and not self.profile.knows((3, 15)):
                return inner
            return DurationExpr("()", (inner,), start, self._end())
        word = self._word()
        if word in _DURATION_FUNCTIONS:
            return self._duration_function(word, start)
        number = self._number("duration expression")
        if abs(number.value) > _LONGEST_SECONDS:
            raise self._error("duration out of range", start, "type")
        return number

    def _signed(self, sign: str, operand: Duration, start: int) -> Duration:
        if isinstance(operand, Number):
            value = -operand.value if sign == "-" else operand.value
            return Number(value, start, operand.end, operand.is_duration)
        if sign == "-":
            return DurationExpr("-", (operand,), start, operand.end)
        operand.start = start
        return operand

    def _duration_function(self, name: str, start: int) -> DurationExpr:
        since, count = _DURATION_FUNCTIONS[name]
        if not self.profile.knows(since):
            raise self._unexpected("duration expression", "number or duration")
        self.at += 1
        self._feature(DURATION_EXPRESSIONS, "a duration expression", start)
        self._expect("(", f"{name}()")
        operands: list[Duration] = []
        while len(operands) < count:
            if operands:
                self._expect(",", f"{name}()")
            operands.append(self._duration(1))
        self._expect(")", f"{name}()")
        return DurationExpr(name, tuple(operands), start, self._end())


_PLAIN = Matching()


def _is_set(offset: Duration | None) -> bool:
    """Prometheus cannot tell `offset 0s` from no offset."""
    if isinstance(offset, Number):
        return math.isnan(offset.value) or round(offset.value * 1e9) != 0
    return offset is not None


def _accepts_empty(matcher: Matcher) -> bool:
    if matcher.operator == "=":
        return not matcher.value
    if matcher.operator == "!=":
        return bool(matcher.value)
    return matches_empty(matcher.value) == (matcher.operator == "=~")


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any(0xD800 <= ord(char) < 0xE000 for char in text)


def _type_name(value_type: str) -> str:
    return _TYPE_NAMES.get(value_type, value_type)
