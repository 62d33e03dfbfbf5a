# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LogQL: text to syntax tree, by recursive descent and precedence climbing.

Stricter than Loki's own parser in one point: the regular expression of a line filter is checked here; Loki finds
it wrong when it runs the query.
"""

from __future__ import annotations

import re

from .._promql.literals import parse_duration, unquote
from .._promql.re2 import RegexError, matches_empty
from .._promql.token_parser import TokenParser
from . import lexer
from .lexer import LogQLError
from .nodes import (
    Binary,
    Grouping,
    LabelReplace,
    Literal,
    LogQuery,
    Matcher,
    Metric,
    Query,
    RangeAggregation,
    Stage,
    Variants,
    Vector,
    VectorAggregation,
)

__all__ = ["LogQLError", "parse"]

_WITHOUT_UNWRAP = frozenset({"bytes_over_time", "bytes_rate", "count_over_time", "rate", "absent_over_time"})
_WITH_UNWRAP = frozenset(
    {
        *("avg_over_time", "sum_over_time", "max_over_time", "min_over_time", "stddev_over_time", "stdvar_over_time"),
        *("quantile_over_time", "rate", "rate_counter", "absent_over_time", "first_over_time", "last_over_time"),
    }
)
_RANGE_OPERATORS = _WITHOUT_UNWRAP | _WITH_UNWRAP
_GROUPED_RANGES = _WITH_UNWRAP - {"sum_over_time", "rate", "rate_counter", "absent_over_time"}
_VECTOR_OPERATORS = frozenset(
    {
        *("sum", "avg", "count", "max", "min", "stddev", "stdvar", "bottomk", "topk", "sort", "sort_desc"),
        "approx_topk",
    }
)
_PARAMETER_OPERATORS = frozenset({"bottomk", "topk", "approx_topk"})
_FUNCTIONS = (
    _RANGE_OPERATORS | _VECTOR_OPERATORS | {"vector", "label_replace", "bytes", "duration", "duration_seconds", "ip"}
)
_KEYWORDS = frozenset(
    {
        *("unwrap", "by", "without", "bool", "offset", "on", "ignoring", "group_left", "group_right", "or", "and"),
        *("unless", "json", "regexp", "logfmt", "unpack", "pattern", "label_format", "line_format", "decolorize"),
        *("drop", "keep", "variants", "of", "label_replace"),
    }
)
_PRECEDENCE = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    "+": 4,
    "-": 4,
    **dict.fromkeys(("*", "/", "%"), 5),
    "^": 6,
}
_SET_OPERATORS = frozenset({"or", "and", "unless"})
_LINE_FILTERS = frozenset({"|=", "|~", "|>", "!=", "!~", "!>"})
_MATCH_OPERATORS = frozenset({"=", "!=", "=~", "!~"})
_ORDER_OPERATORS = frozenset({">", ">=", "<", "<=", "==", "!=", "="})
_VALUES = frozenset({lexer.NUMBER, lexer.DURATION, lexer.BYTES})
_CAPTURE = re.compile(r"<[A-Za-z_][A-Za-z0-9_]*>|<_>")
_NAMED_GROUP = re.compile(r"\(\?P?<([^>]+)>")


def parse(text: str) -> Query:
    """The tree of the query. LogQLError when Loki would refuse it."""
    return _Parser(text, lexer.tokenize).run()


class _Parser(TokenParser):
    error_type = LogQLError

    def run(self) -> Query:
        with self._brackets_blamed():
            query = self._expression(1)
            self._expect_end()
        return query

    # -- helpers

    def _word(self) -> str:
        return super()._word().lower()

    def _keyword(self, *words: str) -> str:
        """Reads one of the words; "" when the next token is none of them."""
        word = self._word()
        if word in words:
            self.at += 1
            return word
        return ""

    def _function(self) -> str:
        """The word in lower case when it is used as a function here."""
        word = self._word()
        if word in _FUNCTIONS:
            following = self.texts[self.at + 1].lower()
            if following in {"(", "by", "without"}:
                return word
        return ""

    def _identifier(self) -> str:
        word = self._word()
        if not word or word in _KEYWORDS or self._function():
            raise self._unexpected("a label name")
        self.at += 1
        return self.texts[self.at - 1]

    def _string(self) -> str:
        start = self.starts[self.at]
        token = self._expect(lexer.STRING)
        try:
            return unquote(token)
        except ValueError as error:
            raise self._error(str(error), start) from None

    def _number(self) -> float:
        start = self.starts[self.at]
        text = self._expect(lexer.NUMBER)
        try:
            return float(text)
        except ValueError:
            raise self._error(f"bad number {text[:20]!r}", start) from None

    def _regex(self, pattern: str, start: int) -> bool:
        try:
            return matches_empty(pattern)
        except RegexError as error:
            raise self._error(f"error parsing regexp: {error.message}", start) from None

    # -- expressions

    def _expression(self, lowest: int) -> Query:
        self._enter()
        left = self._primary()
        while True:
            operator = self.texts[self.at].lower() if self.kinds[self.at] != lexer.STRING else ""
            precedence = _PRECEDENCE.get(operator, 0)
            if precedence < lowest:
                break
            start = self.starts[self.at]
            self.at += 1
            modifiers = self._modifiers()
            right = self._expression(precedence + (operator != "^"))
            left = self._binary(operator, left, right, start, modifiers)
        self.depth -= 1
        return left

    def _metric(self, lowest: int = 1) -> Metric:
        start = self.starts[self.at]
        expr = self._expression(lowest)
        if isinstance(expr, LogQuery | Variants):
            raise self._error("a metric query is needed here, not a log query", start, "type")
        return expr

    def _binary(self, operator: str, left: Query, right: Query, start: int, modifiers: Binary) -> Binary:
        if isinstance(left, LogQuery | Variants) or isinstance(right, LogQuery | Variants):
            raise self._error(f"operator {operator!r} takes metric queries, not log queries", start, "type")
        modifiers.operator, modifiers.left, modifiers.right, modifiers.start = operator, left, right, start
        if operator in _SET_OPERATORS:
            for side in (left, right):
                if isinstance(side, Literal) or (isinstance(side, Binary) and side.is_literal):
                    raise self._error(f"unexpected number as an operand of {operator!r}", side.start, "type")
        return modifiers

    def _modifiers(self) -> Binary:
        nothing = Literal(0.0, 0)
        result = Binary("", nothing, nothing, 0)
        result.return_bool = bool(self._keyword("bool"))
        word = self._keyword("on", "ignoring")
        if word:
            result.on = word == "on"
            result.labels = self._labels()
            result.group = self._keyword("group_left", "group_right")
            if result.group and self.kinds[self.at] == "(":
                result.include = self._labels()
        return result

    def _labels(self) -> tuple[str, ...]:
        self._expect("(")
        labels: list[str] = []
        if self._accept(")"):
            return ()
        while True:
            labels.append(self._identifier())
            if self._accept(")"):
                return tuple(labels)
            self._expect(",")

    def _primary(self) -> Query:
        kind, start = self.kinds[self.at], self.starts[self.at]
        if kind == "{":
            query = self._selector()
            query.stages = self._pipeline()
            self._check_selector(query)
            return query
        if kind == "(":
            self.at += 1
            inner = self._expression(1)
            self._expect(")")
            return inner
        if kind in {"+", "-", lexer.NUMBER}:
            return Literal(self._signed_number(), start)
        if self._word() == "variants":
            return self._variants(start)
        return self._call(self._function(), start)

    def _call(self, function: str, start: int) -> Metric:
        if function in _RANGE_OPERATORS:
            return self._range_aggregation(function, start)
        if function in _VECTOR_OPERATORS:
            return self._vector_aggregation(function, start)
        if function == "label_replace":
            return self._label_replace(start)
        if function != "vector":
            raise self._unexpected("a selector, a function or a number")
        self.at += 1
        self._expect("(")
        value = self._number()
        self._expect(")")
        return Vector(value, start)

    def _signed_number(self) -> float:
        sign = self.kinds[self.at]
        if sign in {"+", "-"}:
            self.at += 1
        return -self._number() if sign == "-" else self._number()

    def _variants(self, start: int) -> Variants:
        self.at += 1
        self._expect("(")
        metrics = [self._metric()]
        while self._accept(","):
            metrics.append(self._metric())
        self._expect(")")
        if not self._keyword("of"):
            raise self._unexpected("'of'")
        self._expect("(")
        query, _range, _offset = self._log_range()
        self._expect(")")
        return Variants(tuple(metrics), query, start)

    def _label_replace(self, start: int) -> LabelReplace:
        self.at += 1
        self._expect("(")
        expr = self._metric()
        values: list[str] = []
        for _group in range(4):
            self._expect(",")
            values.append(self._string())
        self._regex(values[3], self.starts[self.at - 1])
        self._expect(")")
        target, replacement, source, regex = values
        return LabelReplace(expr, target, replacement, source, regex, start)

    # -- aggregations

    def _grouping(self) -> Grouping | None:
        word = self._keyword("by", "without")
        return Grouping(word == "without", self._labels()) if word else None

    def _vector_aggregation(self, operator: str, start: int) -> VectorAggregation:
        self.at += 1
        grouping = self._grouping()
        self._expect("(")
        parameter = ""
        if self.kinds[self.at] == lexer.NUMBER and self.kinds[self.at + 1] == ",":
            parameter = self.texts[self.at]
            self.at += 2
        expr = self._metric()
        self._expect(")")
        grouping = grouping or self._grouping()
        if (operator in _PARAMETER_OPERATORS) != bool(parameter):
            wanted = "needs a number as its first argument" if not parameter else "takes no parameter"
            raise self._error(f"{operator} {wanted}", start, "type")
        if parameter and not (parameter.isdigit() and len(parameter) < 10 and int(parameter) > 0):
            raise self._error(
                f"invalid parameter {parameter[:20]} of {operator}: a whole number above 0", start, "type"
            )
        sorts = operator in {"sort", "sort_desc"} and grouping is not None and grouping.labels
        if sorts or (operator == "approx_topk" and grouping is not None):
            raise self._error(f"grouping is not allowed for {operator}", start, "type")
        return VectorAggregation(operator, expr, start, int(parameter) if parameter else None, grouping)

    def _range_aggregation(self, operator: str, start: int) -> RangeAggregation:
        self.at += 1
        self._expect("(")
        parameter = None
        if self.kinds[self.at] == lexer.NUMBER:
            parameter = self._number()
            self._expect(",")
        query, range_seconds, offset = self._log_range()
        self._expect(")")
        grouping = self._grouping()
        if (operator == "quantile_over_time") != (parameter is not None):
            wanted = "needs the quantile as its first argument" if parameter is None else "takes no parameter"
            raise self._error(f"{operator} {wanted}", start, "type")
        if grouping is not None and operator not in _GROUPED_RANGES:
            raise self._error(f"grouping not allowed for {operator} aggregation", start, "type")
        if operator not in (_WITH_UNWRAP if query.unwrap else _WITHOUT_UNWRAP):
            how = "with" if query.unwrap else "without"
            raise self._error(f"invalid aggregation {operator} {how} unwrap", start, "type")
        self._check_selector(query)
        return RangeAggregation(operator, query, range_seconds, start, parameter, offset, grouping)

    def _log_range(self) -> tuple[LogQuery, float, float]:
        """A selector with a range: the range may stand before or behind the pipeline."""
        self._enter()
        parenthesis = self._accept("(")
        if parenthesis and self.kinds[self.at] == "(":
            result = self._log_range()
            self._expect(")")
            self.depth -= 1
            return result
        query = self._selector()
        query.stages = self._pipeline()
        query.unwrap = self._unwrap(query)
        if parenthesis and self._accept(")"):
            parenthesis = False
        range_seconds = self._range()
        offset = self._offset()
        if not query.stages and not query.unwrap:
            query.stages = self._pipeline()
            query.unwrap = self._unwrap(query)
        if parenthesis:
            self._expect(")")
        self.depth -= 1
        return query, range_seconds, offset

    def _range(self) -> float:
        start = self.starts[self.at]
        text = self._expect(lexer.RANGE)
        try:
            return parse_duration(text[1:-1])
        except ValueError as error:
            raise self._error(str(error), start) from None

    def _offset(self) -> float:
        if not self._keyword("offset"):
            return 0.0
        start = self.starts[self.at]
        text = self._expect(lexer.DURATION)
        try:
            return lexer.seconds(text)
        except ValueError as error:
            raise self._error(str(error), start) from None

    def _unwrap(self, query: LogQuery) -> str:
        if self.kinds[self.at] != "|" or self.texts[self.at + 1].lower() != "unwrap":
            return ""
        self.at += 2
        if self._function() in {"bytes", "duration", "duration_seconds"}:
            self.at += 2
            label = self._identifier()
            self._expect(")")
        else:
            label = self._identifier()
        while self._accept("|"):
            query.stages.append(self._label_filter())
        return label

    # -- selector and pipeline

    def _selector(self) -> LogQuery:
        start = self.starts[self.at]
        self._expect("{")
        matchers: list[Matcher] = []
        while not self._accept("}"):
            if matchers:
                self._expect(",")
            matchers.append(self._matcher())
        return LogQuery(matchers, start)

    def _matcher(self) -> Matcher:
        start = self.starts[self.at]
        name = self._identifier()
        operator = self.kinds[self.at]
        if operator not in _MATCH_OPERATORS:
            raise self._unexpected("=, !=, =~ or !~")
        self.at += 1
        value = self._string()
        if operator in {"=~", "!~"}:
            self._regex(value, start)
        return Matcher(name, operator, value, start)

    def _check_selector(self, query: LogQuery) -> None:
        if not any(_excludes_empty(matcher) for matcher in query.matchers):
            raise self._error(
                "queries require at least one matcher that does not match the empty value"
                ' (app=~".*" does, app=~".+" does not)',
                query.start,
                "type",
            )

    def _pipeline(self) -> list[Stage]:
        stages: list[Stage] = []
        while True:
            kind = self.kinds[self.at]
            if kind in _LINE_FILTERS and self._starts_line_filter():
                stages.append(self._line_filter())
            elif kind == "|" and self.texts[self.at + 1].lower() != "unwrap":
                self.at += 1
                stages.append(self._stage())
            else:
                return stages

    def _starts_line_filter(self) -> bool:
        following = self.kinds[self.at + 1]
        is_ip = following == lexer.WORD and self.texts[self.at + 1].lower() == "ip"
        return following == lexer.STRING or is_ip or self.kinds[self.at] != "!="

    def _line_filter(self) -> Stage:
        operator, start = self.kinds[self.at], self.starts[self.at]
        self.at += 1
        values = [self._line_value(operator)]
        while self._keyword("or"):
            values.append(self._line_value(operator))
        return Stage("line", start, (operator, *values))

    def _line_value(self, operator: str) -> str:
        start = self.starts[self.at]
        if self._function() == "ip":
            self.at += 2
            value = self._string()
            self._expect(")")
            return value
        value = self._string()
        if operator in {"|~", "!~"}:
            self._regex(value, start)
        return value

    def _stage(self) -> Stage:
        start, word = self.starts[self.at], self._word()
        if word in {"json", "logfmt"}:
            self.at += 1
            return self._extraction(word, start)
        if word in {"regexp", "pattern", "line_format"}:
            self.at += 1
            value = self._string()
            return Stage(word, start, (value,), self._captures(word, value, start))
        if word in {"unpack", "decolorize"}:
            self.at += 1
            return Stage(word, start)
        if word == "label_format":
            self.at += 1
            return self._label_format(start)
        if word in {"drop", "keep"}:
            self.at += 1
            return self._named(word, start)
        return self._label_filter()

    def _captures(self, word: str, value: str, start: int) -> tuple[str, ...]:
        """The labels that a regexp or a pattern sets."""
        if word == "regexp":
            self._regex(value, start)
            names = _NAMED_GROUP.findall(value)
            if not names:
                raise self._error("invalid regexp parser: at least one named capture is needed", start)
            return tuple(names)
        if word == "pattern":
            names = [name.strip("<>") for name in _CAPTURE.findall(value)]
            if not any(name != "_" for name in names):
                raise self._error("invalid pattern parser: at least one named capture is needed", start)
            if re.search(r"<\w+><\w+>", value):
                raise self._error("invalid pattern parser: two captures without a literal between them", start)
            return tuple(name for name in names if name != "_")
        return ()

    def _extraction(self, word: str, start: int) -> Stage:
        while word == "logfmt" and self._accept(lexer.FLAG):
            pass
        labels: list[str] = []
        values: list[str] = []
        while self._is_label():
            labels.append(self._identifier())
            values.append(self._string() if self._accept("=") else labels[-1])
            if not self._accept(","):
                break
            if not self._is_label():
                raise self._unexpected("a label name")
        return Stage(word, start, tuple(values), tuple(labels))

    def _is_label(self) -> bool:
        word = self._word()
        return bool(word) and word not in _KEYWORDS and not self._function()

    def _label_format(self, start: int) -> Stage:
        labels: list[str] = []
        values: list[str] = []
        while True:
            labels.append(self._identifier())
            self._expect("=")
            is_text = self.kinds[self.at] == lexer.STRING
            values.append(self._string() if is_text else f"{{{{.{self._identifier()}}}}}")  # a rename, as a template
            if not self._accept(","):
                return Stage("label_format", start, tuple(values), tuple(labels))

    def _named(self, word: str, start: int) -> Stage:
        labels: list[str] = []
        while True:
            if self.kinds[self.at + 1] in _MATCH_OPERATORS:
                labels.append(self._matcher().name)
            else:
                labels.append(self._identifier())
            if not self._accept(","):
                return Stage(word, start, (), tuple(labels))

    # -- label filters

    def _label_filter(self) -> Stage:
        start = self.starts[self.at]
        labels: list[str] = []
        self._any_filter(labels)
        return Stage("label", start, (), tuple(labels))

    def _any_filter(self, labels: list[str]) -> None:
        """Filters joined by or, and, a comma or nothing."""
        self._enter()
        while True:
            if self._accept("("):
                self._any_filter(labels)
                self._expect(")")
            else:
                labels.append(self._one_filter())
            if self._keyword("or", "and") or self._accept(","):
                continue
            if not (self.kinds[self.at] == "(" or self._is_label()):
                break
        self.depth -= 1

    def _one_filter(self) -> str:
        start = self.starts[self.at]
        name = self._identifier()
        operator = self.kinds[self.at]
        if operator not in _ORDER_OPERATORS | _MATCH_OPERATORS:
            raise self._unexpected("a comparison")
        self.at += 1
        kind = self.kinds[self.at]
        if kind == lexer.STRING and operator in _MATCH_OPERATORS:
            value = self._string()
            if operator in {"=~", "!~"}:
                self._regex(value, start)
        elif self._function() == "ip" and operator in {"=", "!="}:
            self.at += 2
            self._string()
            self._expect(")")
        elif kind in {"+", "-"} and operator in _ORDER_OPERATORS:
            self._signed_number()
        elif kind in _VALUES and operator in _ORDER_OPERATORS:
            self._value(kind)
        else:
            raise self._unexpected(f"a value that {operator} can compare")
        return name

    def _value(self, kind: str) -> None:
        start, text = self.starts[self.at], self.texts[self.at]
        self.at += 1
        if kind == lexer.DURATION:
            try:
                lexer.seconds(text)
            except ValueError as error:
                raise self._error(str(error), start) from None


def _excludes_empty(matcher: Matcher) -> bool:
    if matcher.operator == "=":
        return bool(matcher.value)
    if matcher.operator == "!=":
        return not matcher.value
    return matches_empty(matcher.value) == (matcher.operator == "!~")
