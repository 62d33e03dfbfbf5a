# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a dashboard's spec: what is wrong with it, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from ..._yaml.reader import Wrong
from ..._yaml.tree import Mapping as MappingNode
from ..._yaml.tree import Node, Scalar, Sequence, plain
from .panels import OPTIONS, WITHOUT_UNIT
from .variables import NAMES as VARIABLES
from .variables import SOURCES

Check = Callable[[Node, Wrong], None]
"""Reports what is wrong with a node."""
MAX_QUERIES = 26
"""Of one panel: Grafana calls them A to Z."""
_LARGE = 1e300
MAX_ROWS, MAX_PANELS = 50, 50
"""Of a dashboard, and of a row."""


def text(least: int = 1, most: int = 10_000, pattern: str = ".*") -> Check:
    def check(node: Node, wrong: Wrong) -> None:
        if not isinstance(node, Scalar) or not node.is_text:
            wrong("a text is needed here (in quotes, if it looks like a number)", node)
        elif not least <= len(node.value) <= most:
            wrong(f"a text of {least} to {most} characters is needed here", node)
        elif not re.fullmatch(pattern, node.value, re.DOTALL):
            wrong(f"{node.value!r} does not match {pattern}", node)

    return check


def number(least: float = -_LARGE, most: float = _LARGE, *, whole: bool = False) -> Check:
    bounds = "".join(f" {word} {n:g}" for word, n in (("from", least), ("up to", most)) if abs(n) < _LARGE)
    kinds = (int,) if whole else (int, float)

    def check(node: Node, wrong: Wrong) -> None:
        value: object = plain(node) if isinstance(node, Scalar) else None
        if type(value) not in kinds or not isinstance(value, int | float) or not least <= value <= most:
            wrong(f"a {'whole ' if whole else ''}number{bounds} is needed here", node)

    return check


def flag(node: Node, wrong: Wrong) -> None:
    if not isinstance(node, Scalar) or node.style or node.value not in {"true", "false"}:
        wrong("true or false is needed here", node)


def one_of(values: Collection[str]) -> Check:
    def check(node: Node, wrong: Wrong) -> None:
        if not isinstance(node, Scalar) or node.value not in values:
            wrong(f"one of {', '.join(values)} is needed here", node)

    return check


def listed(item: Check, most: int, least: int = 1) -> Check:
    def check(node: Node, wrong: Wrong) -> None:
        if not isinstance(node, Sequence) or not least <= len(node.items) <= most:
            wrong(f"a list of {least} to {most} entries is needed here", node)
            return
        for entry in node.items:
            item(entry, wrong)
        values = [entry.value for entry in node.items if isinstance(entry, Scalar)]
        for entry in node.items if len(set(values)) < len(values) else ():
            if isinstance(entry, Scalar) and values.count(entry.value) > 1:
                wrong(f"{entry.value!r} is listed twice", entry)
                return

    return check


def mapped(value: Check) -> Check:
    """A mapping of any names."""

    def check(node: Node, wrong: Wrong) -> None:
        if not isinstance(node, MappingNode) or not node.entries:
            wrong("a mapping is needed here", node)
            return
        for _key, entry in node.items().values():
            value(entry, wrong)

    return check


def fields(known: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    """A mapping of known keys."""

    def check(node: Node, wrong: Wrong) -> None:
        if not isinstance(node, MappingNode) or not node.entries:
            wrong(f"a mapping of {', '.join(known)} is needed here", node)
            return
        items = node.items()
        for name, (key, value) in items.items():
            if name in known:
                known[name](value, wrong)
            else:
                wrong(f"unknown key {name!r}: known are {', '.join(known)}", key)
        missing = [name for name in required if name not in items]
        if missing:
            wrong(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", node)

    return check


def _query(node: Node, wrong: Wrong) -> None:
    """An expression, or the error budget of an objective."""
    _QUERY(node, wrong)
    keys = set(node.items()) if isinstance(node, MappingNode) else {"expr"}
    if ("expr" in keys) == ("slo" in keys):
        wrong("a query has either expr or slo", node)
    elif misplaced := sorted(keys & ({"service"} if "expr" in keys else {"source", "legend", "column"})):
        wrong(f"a query with {'expr' if 'expr' in keys else 'slo'} has no {' and no '.join(misplaced)}", node)


def _panel(node: Node, wrong: Wrong) -> None:
    """A panel shows numbers in a unit, unless it is one of WITHOUT_UNIT."""
    _PANEL(node, wrong)
    if isinstance(node, MappingNode) and node.get("unit") is None:
        kind = node.get("type")
        if not isinstance(kind, Scalar) or kind.value not in WITHOUT_UNIT:
            wrong("unit is missing", node)


_LINKS = listed(text(), 10)
_QUERY = fields(
    {
        "expr": text(),
        "source": one_of(SOURCES),
        "legend": text(0),
        "column": text(),
        "unit": text(),
        "instant": flag,
        "slo": text(),
        "service": text(),
    }
)
_PANEL = fields(
    {
        "title": text(1, 40),
        "description": text(10),
        "type": one_of(OPTIONS),
        "unit": text(),
        "decimals": number(0, 20, whole=True),
        "min": number(),
        "max": number(),
        "stacked": flag,
        "thresholds": fields({"warning": number(), "critical": number(), "low": flag}),
        "states": mapped(text()),
        "columns": mapped(text()),
        "width": number(4, 24, whole=True),
        "height": number(3, 24, whole=True),
        "links": _LINKS,
        "no_data": text(),
        "may_be_empty": text(10),
        "queries": listed(_query, MAX_QUERIES),
    },
    required=("title", "description", "queries"),
)
_ROW = fields({"title": text(), "panels": listed(_panel, MAX_PANELS)}, required=("title", "panels"))
check = fields(
    {
        "title": text(),
        "uid": text(pattern="ias-[a-z0-9-]{1,36}"),
        "description": text(10),
        "service": text(),
        "links": _LINKS,
        "variables": listed(one_of(VARIABLES), len(VARIABLES), 0),
        "rows": listed(_ROW, MAX_ROWS),
    },
    required=("title", "uid", "description", "variables", "rows"),
)
"""A whole spec."""
