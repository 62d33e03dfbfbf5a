# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each function of PromQL: since which version, until when behind its flag, and with how many arguments."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile, PromQLError, parse
from ansible_collections.ias.observability.plugins.module_utils._promql.functions import FUNCTIONS
from ansible_collections.ias.observability.plugins.module_utils._promql.profile import FEATURES

NEVER = None

# a call, the version that knows it, the version that needs no flag for it
EXPERIMENTAL = [
    ("double_exponential_smoothing(a[5m], 0.1, 0.2)", 0, NEVER),
    ("info(a)", 0, NEVER),
    ("mad_over_time(a[5m])", 0, NEVER),
    ("sort_by_label(a)", 0, NEVER),
    ("sort_by_label_desc(a, 'b', 'c', 'd')", 0, NEVER),
    ("ts_of_last_over_time(a[5m])", 5, NEVER),
    ("ts_of_max_over_time(a[5m])", 5, NEVER),
    ("ts_of_min_over_time(a[5m])", 5, NEVER),
    ("first_over_time(a[5m])", 7, 14),
    ("ts_of_first_over_time(a[5m])", 7, NEVER),
    ("histogram_quantiles(a, 'q', 0.1)", 11, NEVER),
    ("start()", 12, NEVER),
    ("end()", 12, NEVER),
    ("step()", 12, NEVER),
    ("range()", 12, NEVER),
    ("max_of(1, 2)", 13, NEVER),
    ("min_of(1, 2)", 13, NEVER),
    ("start_timestamp(a)", 14, NEVER),
    ("integral(a[5m])", 16, NEVER),
    ("integral(a[5m], 1)", 16, NEVER),
]


def accepts(text: str, version: tuple[int, int], *, flag: bool = True) -> bool:
    try:
        parse(text, Profile(version, FEATURES if flag else frozenset()))
    except PromQLError:
        return False
    return True


@pytest.mark.parametrize(("text", "since", "stable"), EXPERIMENTAL)
def test_experimental_functions(text: str, since: int, stable: int | None) -> None:
    assert accepts(text, (3, since))
    assert not accepts(text, (3, since - 1)) or not since
    assert not accepts(text, (3, since), flag=False)
    assert not accepts(text, (2, 99)), "no version 2 is known"
    newest = (99, -1) if stable is NEVER else (3, stable - 1)
    assert not accepts(text, newest, flag=False)
    assert stable is NEVER or accepts(text, (3, stable), flag=False)


@pytest.mark.parametrize("text", ["rate(a[5m])", "abs(a)", "time()", "hour()", "label_join(a, 'b', 'c', 'd')"])
def test_all_others_are_as_old_as_prometheus_3(text: str) -> None:
    assert accepts(text, (3, 0), flag=False)
    assert not accepts(text, (2, 99), flag=False)


@pytest.mark.parametrize(
    ("name", "fewest", "most"),
    [
        *[("abs", 1, 1), ("rate", 1, 1), ("hour", 0, 1), ("clamp", 3, 3), ("clamp_max", 2, 2), ("label_join", 3, None)],
        *[("label_replace", 5, 5), ("pi", 0, 0), ("round", 1, 2), ("sort_by_label", 1, None), ("info", 1, 2)],
        *[("histogram_quantiles", 3, 12), ("integral", 1, 2), ("max_of", 2, 2), ("predict_linear", 2, 2)],
    ],
)
def test_how_many_arguments(name: str, fewest: int, most: int | None) -> None:
    assert (FUNCTIONS[name].required, FUNCTIONS[name].maximum) == (fewest, most)


def test_a_function_behind_its_flag_says_how_to_switch_it_on() -> None:
    with pytest.raises(PromQLError, match="enable-feature=promql-experimental-functions"):
        parse("1 + mad_over_time(a[5m])")
