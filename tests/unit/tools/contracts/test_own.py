# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard that came as JSON: what cannot work in it has file and line; its names are its own affair."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tools.contracts import own


def panel(title: str, kind: str, **target: str) -> dict[str, Any]:
    return {"title": title, "type": "x", "targets": [{"refId": "A", "datasource": {"type": kind}, **target}]}


ROW = {"type": "row", "collapsed": True, "panels": [panel("Lines", "loki", expr='{app=~".*"}')]}
PANELS = [
    panel("Good", "prometheus", expr='sum(rate(theirs_total{x=~"$x"}[$__rate_interval]))'),
    panel("Bad", "prometheus", expr="sum("),
    panel("Spans", "tempo", query="{ .a = }"),
    panel("Graph", "tempo", query="anything", queryType="serviceMap"),
    panel("Other", "mysql", expr="SELECT 1"),
    panel("Unknown", "prometheus", expr="theirs_total{y=~'$y'}"),
    ROW,
]
MODEL = {"title": "Own", "uid": "own", "panels": PANELS, "templating": {"list": [{"name": "x", "type": "query"}]}}


def checked(text: str, *compiled: str) -> list[str]:
    others = [Source(f"{number}.json", other) for number, other in enumerate(compiled)]
    return [str(finding) for finding in own.check([Source("own.json", text)], others)]


def test_each_panel_that_cannot_work_is_named_with_its_line() -> None:
    text = json.dumps(MODEL, indent=1)
    found = checked(text)
    wanted = [("Bad", '"sum("'), ("Spans", '"{ .a = }"'), ("Unknown", "theirs_total{y"), ("Lines", "{app=~")]
    assert len(found) == len(wanted)
    for line, (title, query) in zip(found, wanted, strict=True):
        place = next(number for number, one in enumerate(text.splitlines(), 1) if query in one)
        assert line.startswith(f"own.json:{place}:")
        assert title in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"title": "x",\n "panels": [}', "own.json:2:13: not JSON"),
        ("title: x\n", "own.json:1:1: not JSON"),
        ('{"title": "x", "panels": [],\n "uid": "a"}', "own.json:2:9 a: uid a is also that of 0.json"),
    ],
)
def test_what_is_wrong_with_the_file_itself(text: str, said: str) -> None:
    (found,) = checked(text, '{"title": "0", "uid": "a", "panels": []}')
    assert found.startswith(said)


def test_without_any_nothing_is_looked_at() -> None:
    assert list(own.check([], [Source("0.json", "{")])) == []
