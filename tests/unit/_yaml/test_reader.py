# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The typed reader: every access is safe, and what is wrong is one finding with its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ias.observability.plugins.module_utils._findings import Report
from ansible_collections.ias.observability.plugins.module_utils._yaml.reader import Reader
from ansible_collections.ias.observability.plugins.module_utils._yaml.tree import Mapping

Access = Callable[[Reader, Mapping], object]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("a: 1", []),
        ("", ["it must be a mapping, not empty"]),
        ("~", ["it must be a mapping, not empty"]),
        ("[1]", ["it must be a mapping, not a list"]),
        ("5", ["it must be a mapping, not a number or truth value"]),
        ("{", ["not YAML: while parsing a flow node did not find expected node content"]),
        ("a: {b: 1, b: 2}\na: 3", ["key 'b' is written twice", "key 'a' is written twice"]),
        ("a: 1\n---\nb: 2", []),
    ],
)
def test_the_root(text: str, messages: list[str]) -> None:
    report = Report()
    root = Reader(report, "x/file", "hint").root(text, "it must be a mapping")
    assert sorted(finding.message for finding in report.findings) == sorted(messages)
    assert (root is None) == (bool(messages) and "twice" not in messages[0])


@pytest.mark.parametrize(
    ("text", "access", "value", "message"),
    [
        ("k: v", lambda reader, node: reader.text(node, "k"), "v", ""),
        ("j: v", lambda reader, node: reader.text(node, "k", "d"), "d", ""),
        ("k:", lambda reader, node: reader.text(node, "k", "d"), "d", ""),
        ("k: [v]", lambda reader, node: reader.text(node, "k", "d"), "d", "k must be a text, not a list"),
        ("k: true", lambda reader, node: reader.flag(node, "k"), True, ""),
        ("k: yes", lambda reader, node: reader.flag(node, "k"), False, "k must be true or false"),
        ("k: [a, 1]", lambda reader, node: reader.texts(node.get("k"), "k"), ["a", "1"], ""),
        ("k: [a, {}]", lambda reader, node: reader.texts(node.get("k"), "k"), [], "k must be a list of texts"),
        ("k: a", lambda reader, node: reader.texts(node.get("k"), "k"), [], "k must be a list, not a text"),
        ("k: [{}, 1]", lambda reader, node: len(list(reader.mappings(node, "k"))), 1, "k[1] must be a mapping, not a"),
        ("k: {a: 1}", lambda reader, node: [n for n, _value in reader.entries(node.get("k"), "k")], ["a"], ""),
        ("k: x", lambda reader, node: reader.entries(node.get("k"), "k"), [], "k must be a mapping, not a text"),
        ("k: x", lambda reader, node: reader.known_keys(node, ["a"]), None, "unknown key 'k': known are a"),
    ],
)
def test_access(text: str, access: Access, value: object, message: str) -> None:
    report = Report()
    reader = Reader(report, "x/file", "hint")
    root = reader.root(text, "a mapping")
    assert root is not None
    assert access(reader, root) == value
    assert len(report.findings) == bool(message)
    assert all(finding.message.startswith(message) and finding.line == 1 for finding in report.findings)
