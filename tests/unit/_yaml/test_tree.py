# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tree of YAML is bounded in: nodes, depth, and what aliases stand for."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from ansible_collections.ias.observability.plugins.module_utils import _waivers
from ansible_collections.ias.observability.plugins.module_utils._alertmanager import configuration
from ansible_collections.ias.observability.plugins.module_utils._contract import load as contract
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._promql import Profile
from ansible_collections.ias.observability.plugins.module_utils._rule_tests import load as rule_tests
from ansible_collections.ias.observability.plugins.module_utils._rules.load import parse_rules
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from ansible_collections.ias.observability.plugins.module_utils._values import check as values
from ansible_collections.ias.observability.plugins.module_utils._values.chart import Chart, read
from ansible_collections.ias.observability.plugins.module_utils._yaml import tree
from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import (
    MAX_DEPTH,
    MAX_REPEATED,
    Mapping,
    Scalar,
    YamlError,
    documents,
    first_document,
    plain,
)
from tests.unit.growth import LINEAR, growth

REPEATED = f"its aliases stand for more than {MAX_REPEATED} nodes"
Read = Callable[[str, RuleReport], object]


def levels(item: str, wrap: str, count: int = 6) -> str:
    """Levels of ten aliases each, on the level below; the last one is the document."""
    lines = [f"l0: &l0 {item}"]
    lines += [f"l{n}: &l{n} {wrap % ', '.join([f'*l{n - 1}'] * 10)}" for n in range(1, count + 1)]
    return "\n".join(lines) + "\n"


def _values(text: str, report: RuleReport) -> None:
    chart: Chart = read({"Chart.yaml": "name: c", "values.yaml": "a: 1"}, "c")
    report.findings += values.check(chart, [Source("v.yaml", text)])


READERS: dict[str, tuple[Read, str]] = {
    "rules": (
        lambda text, report: parse_rules("r.yaml", text, Profile(), report),
        levels("{kind: PrometheusRule}", "{kind: List, items: [%s]}") + "kind: List\nitems: [*l6]\n",
    ),
    "routing": (
        lambda text, report: configuration.load("a.yaml", text, report),
        levels("{receiver: a}", "{receiver: a, routes: [%s]}") + "route: *l6\nreceivers: [{name: a}]\n",
    ),
    "contract": (
        lambda text, report: contract.load("c.yaml", text, report),
        levels("{a: {type: counter}}", "{<<: [%s]}") + "services: {s: {metrics: *l6}}\n",
    ),
    "tests": (
        lambda text, report: rule_tests.load("t.yaml", text, report),
        levels("{alertname: a}", "{alert_rule_test: [%s]}") + "tests: [*l6]\n",
    ),
    "waivers": (lambda text, report: _waivers.load("w.yaml", text, report), levels("a", "[%s]") + "waivers: *l6\n"),
    "values": (_values, levels("{a: 1}", "{a: [%s]}")),
}


@pytest.mark.parametrize("reader", READERS)
def test_levels_of_aliases_are_refused_at_once(reader: str) -> None:
    read_text, text = READERS[reader]
    report = RuleReport()
    tracemalloc.start()
    before = time.process_time()
    read_text(text, report)
    seconds, (_now, peak) = time.process_time() - before, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    messages = [finding.message for finding in report.findings if isinstance(finding, Finding)]
    assert messages == [f"not YAML: {REPEATED}"]
    assert len(text) < 1_000
    assert seconds < 2
    assert peak < 20 << 20


def test_anchors_that_are_used_in_earnest() -> None:
    root = first_document("base: &base {a: 1, b: 2}\nlist:\n" + "- {<<: *base, b: 3}\n" * 1_000)
    assert isinstance(root, Mapping)
    assert plain(root)["list"] == [{"a": 1, "b": 3}] * 1_000


def test_aliases_in_several_documents_count_together() -> None:
    text = ("a: &a [" + "1," * 1_000 + "]\nb: *a\n---\n") * (MAX_REPEATED // 1_000 + 1)
    with pytest.raises(YamlError, match=REPEATED):
        list(documents(text))


def test_an_alias_counts_as_deep_as_what_it_stands_for() -> None:
    def text(depth: int) -> str:
        return f"a: &a {'[' * depth}{']' * depth}\nb: {'[' * depth}*a{']' * depth}\n"

    assert first_document(text((MAX_DEPTH - 1) // 2)) is not None
    with pytest.raises(YamlError, match=f"nests deeper than {MAX_DEPTH} levels"):
        first_document(text((MAX_DEPTH - 1) // 2 + 1))


def test_a_chain_of_merge_keys_is_bounded_in_depth() -> None:
    chain = "m0: &m0 {a: 1}\n" + "".join(f"m{n}: &m{n} {{<<: *m{n - 1}}}\n" for n in range(1, MAX_DEPTH * 2))
    with pytest.raises(YamlError, match="nests deeper"):
        first_document(chain)


def test_nodes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_NODES", 100)
    assert first_document("[" + "a," * 99 + "]") is not None
    with pytest.raises(YamlError, match="has more than 100 nodes"):
        first_document("[" + "a," * 100 + "]")


def test_merged_mappings_take_linear_time() -> None:
    def work(count: int) -> Callable[[], object]:
        text = "m: {<<: [" + ", ".join(f"{{k{number}: 1}}" for number in range(count)) + "]}"
        root = first_document(text)
        assert isinstance(root, Mapping)
        mapping = root.get("m")
        assert isinstance(mapping, Mapping)

        def merge() -> object:
            mapping.merged = None
            return mapping.items()

        return merge

    assert growth(work, 300) < 2 * LINEAR


@pytest.mark.parametrize("text", ["{}x", "{}e", "-{}.x"])
def test_texts_that_begin_as_numbers_take_linear_time(text: str) -> None:
    assert growth(lambda count: lambda: Scalar(text.format("1" * count), 1, 1, "").is_text, 2_000) < 2 * LINEAR


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        *((text, True) for text in ("1", "-1.5", "1.", ".5", "1_000", "1e3", "0x1f")),
        *((text, False) for text in ("", ".", "1.5.", "1x", "_1", "e3", "--1")),
    ],
)
def test_numbers(text: str, *, is_number: bool) -> None:
    assert Scalar(text, 1, 1, "").is_number is is_number
