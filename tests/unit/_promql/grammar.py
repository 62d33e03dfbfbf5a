# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PromQL that nobody has written: expressions drawn from the grammar, most of them of the type that is wanted."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.ias.observability.plugins.module_utils._promql.functions import (
    AGGREGATOR_PARAMETER,
    AGGREGATORS,
    FUNCTIONS,
    UNBOUNDED,
    Function,
)
from ansible_collections.ias.observability.plugins.module_utils._promql.profile import FEATURES, Profile

EVERYTHING = Profile(features=FEATURES)
Kind = str  # scalar, vector, matrix or string

WORDS = (
    *(
        "up",
        "a:b",
        "x_total",
        "_",
        "sum",
        "by",
        "on",
        "offset",
        "start",
        "end",
        "step",
        "range",
        "bool",
        "atan2",
        "inf",
    ),
    *("nan", "fill", "anchored", "smoothed", "group_left", "and", "rate", "time", "le", "job", "max_of", "NaN", "é"),
)
LABELS = (
    "job",
    "le",
    "instance",
    "by",
    "sum",
    "on",
    "bool",
    "__name__",
    '"a b"',
    '"é"',
    '"job"',
    "offset",
    "start",
    "1a",
)
NUMBERS = (
    *("0", "1", "1.5", ".5", "1.", "1e3", "1e-3", "1E+2", "0x1F", "0X1f", "017", "08", "1_000", "0b11", "0o17", "Inf"),
    *(
        "inf",
        "+Inf",
        "-NaN",
        "nan",
        "5m",
        "1h30m",
        "1m1h",
        "1.5h",
        "1e400",
        "0x",
        "1e",
        "1_",
        "0x1p4",
        "9223372036854775808",
    ),
)
DURATIONS = (
    *("5m", "1h30m", "1d", "90s", "1y2w", "100ms", "0s", "0", "300", "1.5", "0x10", "1e2", "1h1h", "1m1h", "5M", "-5m"),
    *("(5m)", "5m + 1m", "2 * 5m", "1h / 2", "(1h - 1m) * 2", "2 ^ 3", "1h % 7m", "-(-5m)", "step()", "range()"),
    *("min_of(5m, step())", "max_of(1m, 2m)", "step() * 2", "+5m", "min_of(5m)", "1h / 0", "99999999y", "5m > 1m", "x"),
)
STRINGS = (
    *('"s"', "'s'", "`s`", '""', '"a\\"b"', "'a\\'b'", "'a\\\"b'", '"\\n\\t\\\\"', '"\\x41\\u00e9\\101"', '"\\d"'),
    *('"\\U0001f600"', "`\\d`", '"é"', '"a\\\nb"', '"$1"', '"\\ud800"', '"\\400"', "'\\x4'"),
)
REGEXES = (
    '".*"',
    '"a.+"',
    '"5.."',
    '"a|b"',
    '"(?i)a"',
    '"[a-z]+"',
    '"("',
    '"a**"',
    '"\\\\d+"',
    '""',
    '"a{2,1}"',
    '"(?=a)"',
)
OPERATORS = ("+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless", "</", ">/")
BLANKS = ("", "", "  ", "\n", "\t", " # c\n", "\r\n")


@dataclass
class Grammar:
    """Draws expressions. ``wild`` of them are of another type than the place needs."""

    source: random.Random
    wild: float = 0.03

    def expression(self, depth: int = 4) -> str:
        return self._blanks(
            self.of(self.source.choice(["vector", "vector", "vector", "scalar", "matrix", "string"]), depth)
        )

    def of(self, kind: Kind, depth: int) -> str:
        if self._is(self.wild):
            kind = self.source.choice(["vector", "scalar", "matrix", "string"])
        kinds: dict[Kind, Callable[[int], str]] = {
            "vector": self._vector,
            "scalar": self._scalar,
            "matrix": self._matrix,
            "string": lambda _depth: self._pick(STRINGS, 5),
        }
        found = kinds[kind](depth)
        return f"({found})" if self._is(0.05) else found

    # -- types

    def _vector(self, depth: int) -> str:
        if depth <= 0:
            return self._modified(self._selector())
        draw = self.source.choice(
            [self._binary, self._aggregation, self._aggregation, self._call, self._call, self._unary]
        )
        return draw("vector", depth - 1)

    def _scalar(self, depth: int) -> str:
        if depth <= 0 or self._is(0.4):
            return self._pick(NUMBERS, 9)
        return self.source.choice([self._binary, self._call, self._unary])("scalar", depth - 1)

    def _matrix(self, depth: int) -> str:
        if depth <= 0 or self._is(0.6):
            kind = self.source.choice(["", "", "", " anchored", " smoothed"])
            return self._modified(f"{self._selector()}[{self._duration()}]{kind}")
        inner = self.of("vector", depth - 1)
        step = self.source.choice(["", self._duration()])
        return self._modified(f"{inner if self._is(0.3) else f'({inner})'}[{self._duration()}:{step}]")

    # -- parts

    def _selector(self) -> str:
        matchers = ", ".join(self._matcher() for _ in range(self.source.randint(0, 3)))
        name = self.source.choice(WORDS)
        body = f"{{{matchers}{',' if self._is(0.1) else ''}}}"
        return self.source.choice([name, name, f"{name}{body}", f"{name}{body}", body])

    def _matcher(self) -> str:
        if self._is(0.1):
            return self.source.choice(['"quoted name"', '"up"', "up", "`x`"])
        operator = self.source.choice(["=", "!=", "=~", "!~"])
        value = self._pick(REGEXES, 6) if "~" in operator else self._pick(STRINGS, 5)
        return f"{self._pick(LABELS, 4)}{operator}{value}"

    def _modified(self, text: str) -> str:
        for _ in range(self.source.choice([0, 0, 0, 0, 0, 0, 1, 1, 2])):
            at = self._pick(("start()", "end()", "1", "-1.5", "1e3", "0x10", "Inf", "5m", "step()", "time()"), 6)
            text += self.source.choice([f" offset {self._duration()}", f" @ {at}"])
        return text

    def _duration(self) -> str:
        return self._pick(DURATIONS, 6)

    def _unary(self, kind: Kind, depth: int) -> str:
        return f"{self.source.choice(['-', '+', '- '])}{self.of(kind, depth)}"

    def _binary(self, kind: Kind, depth: int) -> str:
        sides = ("scalar", "scalar") if kind == "scalar" else self._sides()
        operator = self._pick(OPERATORS, len(OPERATORS) - 2)
        comparison = 0.8 if kind == "scalar" else 0.2
        modifier = " bool" if self._is(comparison if operator[0] in "=!<>" else self.wild) else ""
        if sides == ("vector", "vector") and self._is(0.7):
            modifier += self._matching()
        left, right = (self.of(side, depth) for side in sides)
        return f"{left} {operator}{modifier} {right}"

    def _sides(self) -> tuple[Kind, Kind]:
        return self.source.choice(
            [("vector", "vector"), ("vector", "vector"), ("vector", "scalar"), ("scalar", "vector")]
        )

    def _matching(self) -> str:
        labels = self._labels()
        found = f" {self.source.choice(['on', 'ignoring'])} {labels}"
        if self._is(0.6):
            side = self.source.choice(["group_left", "group_right"])
            found += f" {side} {self.source.choice(['', labels, self._labels()])}"
        if self._is(0.1):
            found += self.source.choice([" fill(0)", " fill_left(1) fill_right(2)", " fill(-Inf)", " fill(x)"])
        return found

    def _labels(self) -> str:
        names = ", ".join(self._pick(LABELS, 3) for _ in range(self.source.randint(0, 2)))
        return f"({names}{',' if self._is(0.1) else ''})"

    def _aggregation(self, _kind: Kind, depth: int) -> str:
        name = self.source.choice(sorted(AGGREGATORS))
        grouping = f" {self.source.choice(['by', 'without'])} {self._labels()}" if self._is(0.6) else ""
        parameter = AGGREGATOR_PARAMETER.get(name)
        first = [self.of(parameter, depth)] if parameter and not self._is(self.wild) else []
        arguments = f"({', '.join([*first, self.of('vector', depth)])})"
        return f"{name}{grouping}{arguments}" if self._is(0.5) else f"{name}{arguments}{grouping}"

    def _call(self, kind: Kind, depth: int) -> str:
        usable: Sequence[Function] = [one for one in FUNCTIONS.values() if one.returns == kind]
        function = self.source.choice(usable)
        more = 3 if function.optional == UNBOUNDED else function.optional
        count = function.required + self.source.randint(0, more)
        if self._is(self.wild):
            count += self.source.choice([-1, 1])
        kinds = [function.argument_type(index) if function.arguments else "scalar" for index in range(count)]
        name = function.name.upper() if self._is(0.02) else function.name
        return f"{name}({', '.join(self.of(one, depth) for one in kinds)}{',' if self._is(0.01) else ''})"

    def _blanks(self, text: str) -> str:
        """Other blanks than one between words, and comments."""
        if self._is(0.8):
            return text
        parts = text.split(" ")
        return "".join(part + self.source.choice(BLANKS) for part in parts)

    def _pick(self, options: Sequence[str], plain: int) -> str:
        """Seldom one of those that follow the plain ones: one refused part hides all that is around it."""
        return self.source.choice(options if self._is(0.1) else options[:plain])

    def _is(self, chance: float) -> bool:
        return self.source.random() < chance
