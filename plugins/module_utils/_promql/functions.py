# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions of PromQL: argument types, result type, since when, experimental until when."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .profile import EXPERIMENTAL_FUNCTIONS, Profile

ValueType = Literal["scalar", "vector", "matrix", "string"]

NEVER = (99, 0)
UNBOUNDED = -1


class Function(NamedTuple):
    name: str
    arguments: tuple[ValueType, ...]
    returns: ValueType = "vector"
    optional: int = 0
    """How many arguments beyond the required ones; UNBOUNDED for any number."""
    since: tuple[int, int] = (3, 0)
    stable: tuple[int, int] = (3, 0)
    """The version from which no feature flag is needed."""

    @property
    def required(self) -> int:
        return len(self.arguments) - (1 if self.optional else 0)

    @property
    def maximum(self) -> int | None:
        return None if self.optional == UNBOUNDED else self.required + self.optional

    def argument_type(self, index: int) -> ValueType:
        return self.arguments[min(index, len(self.arguments) - 1)]

    def usable(self, profile: Profile) -> bool:
        return profile.version >= self.stable or EXPERIMENTAL_FUNCTIONS in profile.features


def _simple(names: str, *arguments: ValueType) -> list[Function]:
    return [Function(name, arguments) for name in names.split()]


def _date(names: str) -> list[Function]:
    return [Function(name, ("vector",), optional=1) for name in names.split()]


def _experimental(
    name: str,
    *arguments: ValueType,
    returns: ValueType = "vector",
    optional: int = 0,
    since: tuple[int, int] = (3, 0),
    stable: tuple[int, int] = NEVER,
) -> Function:
    return Function(name, arguments, returns, optional, since, stable)


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in [
        *_simple(
            "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count"
            " histogram_sum histogram_stddev histogram_stdvar ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan"
            " tanh timestamp",
            "vector",
        ),
        *_simple(
            "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time"
            " max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time"
            " sum_over_time",
            "matrix",
        ),
        *_date("days_in_month day_of_month day_of_week day_of_year hour minute month year"),
        Function("clamp", ("vector", "scalar", "scalar")),
        Function("clamp_max", ("vector", "scalar")),
        Function("clamp_min", ("vector", "scalar")),
        Function("histogram_fraction", ("scalar", "scalar", "vector")),
        Function("histogram_quantile", ("scalar", "vector")),
        Function("label_join", ("vector", "string", "string", "string"), optional=UNBOUNDED),
        Function("label_replace", ("vector", "string", "string", "string", "string")),
        Function("pi", (), "scalar"),
        Function("predict_linear", ("matrix", "scalar")),
        Function("quantile_over_time", ("scalar", "matrix")),
        Function("round", ("vector", "scalar"), optional=1),
        Function("scalar", ("vector",), "scalar"),
        Function("time", (), "scalar"),
        Function("vector", ("scalar",)),
        _experimental("double_exponential_smoothing", "matrix", "scalar", "scalar"),
        _experimental("info", "vector", "vector", optional=1),
        _experimental("mad_over_time", "matrix"),
        _experimental("sort_by_label", "vector", "string", optional=UNBOUNDED),
        _experimental("sort_by_label_desc", "vector", "string", optional=UNBOUNDED),
        _experimental("ts_of_last_over_time", "matrix", since=(3, 5)),
        _experimental("ts_of_max_over_time", "matrix", since=(3, 5)),
        _experimental("ts_of_min_over_time", "matrix", since=(3, 5)),
        _experimental("first_over_time", "matrix", since=(3, 7), stable=(3, 14)),
        _experimental("ts_of_first_over_time", "matrix", since=(3, 7)),
        _experimental("histogram_quantiles", "vector", "string", "scalar", "scalar", optional=9, since=(3, 11)),
        _experimental("start", returns="scalar", since=(3, 12)),
        _experimental("end", returns="scalar", since=(3, 12)),
        _experimental("step", returns="scalar", since=(3, 12)),
        _experimental("range", returns="scalar", since=(3, 12)),
        _experimental("max_of", "scalar", "scalar", returns="scalar", since=(3, 13)),
        _experimental("min_of", "scalar", "scalar", returns="scalar", since=(3, 13)),
        _experimental("start_timestamp", "vector", since=(3, 14)),
        _experimental("integral", "matrix", "scalar", optional=1, since=(3, 16)),
    ]
}

AGGREGATORS = frozenset(
    {
        *("avg", "bottomk", "count", "count_values", "group", "limit_ratio", "limitk"),
        *("max", "min", "quantile", "stddev", "stdvar", "sum", "topk"),
    }
)
AGGREGATOR_PARAMETER: dict[str, ValueType] = {
    "bottomk": "scalar",
    "count_values": "string",
    "limit_ratio": "scalar",
    "limitk": "scalar",
    "quantile": "scalar",
    "topk": "scalar",
}
EXPERIMENTAL_AGGREGATORS = frozenset({"limitk", "limit_ratio"})
