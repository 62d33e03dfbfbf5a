# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a chart does not read, by file and line."""

from __future__ import annotations

from pathlib import Path

from tools.contracts import values

KEYS = {
    "a": {"open": False},
    "a.b": {"open": False},
    "a.size": {"open": False},
    "c": {"open": True},
    "d": {"open": False, "unread": True},
    "e\\.f": {"open": False},
}
CONTENT = """\
a:
  b: 1
  siz: 10Gi
c: {anything: {at: all}}
d: 1
e.f: 2
g:
  h: {i: 1}
"""


def test_each_key_that_is_not_read_is_named_once() -> None:
    assert list(values.unread(CONTENT, "v.yaml", "chart-1", KEYS)) == [
        "v.yaml:5:1: d: chart-1 does not read this",
        "v.yaml:7:1: g: chart-1 does not read this",
        "v.yaml:3:3: a.siz: chart-1 does not read this (did you mean 'size'?)",
    ]


def test_a_file_that_is_not_yaml() -> None:
    (found,) = values.unread("a: [\nb: 1\n", "v.yaml", "chart-1", KEYS)
    assert found.startswith("v.yaml:3:1: not YAML")
    assert list(values.unread("", "v.yaml", "chart-1", KEYS)) == []


def test_every_file_is_held_against_its_charts_list(root: Path, shared: Path) -> None:
    contracts = root / "contracts"
    assert list(values.check(contracts, shared / "charts", root)) == []
    files = [
        path
        for name in ("prometheus", "loki", "tempo", "alloy", "mimir")
        for path in values.of_component(contracts, name)
    ]
    assert sorted(files) == sorted((contracts / "helm-values").rglob("*.yaml"))
