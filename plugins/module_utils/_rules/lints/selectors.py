# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Matchers that select nothing, or something else than it looks like."""

from __future__ import annotations

import re

from ..._promql.nodes import Matcher, VectorSelector
from ..context import Context

_LOOKS_LIKE_REGEX = re.compile(r"\.[*+]|\\[dws.]|\[[^\]]+[-^][^\]]*\]|^\^|\|.*\w|^[1-5]\.\.$")

_PREFIX = re.compile(r"[\w/:-]*[\w][_:-]")
"""A text that ends where more is to follow: api-, kube_."""


def check(context: Context) -> None:
    for selector in context.all(VectorSelector):
        _matchers(context, selector)


def _matchers(context: Context, selector: VectorSelector) -> None:
    by_label: dict[str, list[Matcher]] = {}
    for matcher in selector.matchers:
        if matcher.operator == "=" and _LOOKS_LIKE_REGEX.search(matcher.value):
            context.add(
                "eq-looks-like-regex",
                "warning",
                f"{matcher.name}={matcher.value!r} looks like a regular expression, but is compared as text",
                selector,
                f"write {matcher.name}=~",
            )
        if matcher.operator in {"=~", "!~"} and _PREFIX.fullmatch(matcher.value):
            context.add(
                "regex-anchoring",
                "warning",
                f"{matcher.name}{matcher.operator}{matcher.value!r} only matches exactly this: patterns are anchored",
                selector,
                f"write {matcher.value}.*",
            )
        by_label.setdefault(matcher.name, []).append(matcher)
    if len(by_label) == len(selector.matchers):
        return
    for name, matchers in by_label.items():
        wanted = {matcher.value for matcher in matchers if matcher.operator == "="}
        unwanted = {matcher.value for matcher in matchers if matcher.operator == "!="}
        if len(wanted) > 1 or wanted & unwanted:
            context.add(
                "contradictory-matchers",
                "error",
                f"the matchers of {name!r} exclude each other: nothing is selected",
                selector,
            )
