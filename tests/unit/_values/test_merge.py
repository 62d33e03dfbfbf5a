# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values files, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.lookup.merged_yaml import LookupModule
from ansible_collections.ias.observability.plugins.module_utils._values.merge import ValuesError, load, merge

VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", r"is not YAML: while parsing a flow sequence did not find expected .* in line 2, column 1"),
        ("a: 1\n b: 2\n", r"is not YAML: mapping values are not allowed in this context in line 2, column 3"),
        ("- a\n", r"holds a list, not a mapping"),
        ("just words\n", r"holds a text, not a mapping"),
        (".nan\n", r"cannot be used: \.nan is no number that Helm takes in line 1, column 1"),
        ("a: 1\n---\na: 2\n", r"holds 2 YAML documents: join them"),
        ("a: \x00", r"is not YAML: "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(text)
    with pytest.raises(ValuesError, match=f"^the file {path} {message}") as caught:
        load(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValuesError, match=r"values\.yaml cannot be read: No such file or directory"):
        load(str(tmp_path / "values.yaml"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValuesError, match="cannot be read: not a UTF-8 text: byte 1 is 0xff"):
        load(str(tmp_path / "binary"))


def test_merges_mappings_and_replaces_the_rest() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(base, {"a": {"c": [3]}, "d": {"e": 2}}) == {"a": {"b": 1, "c": [3]}, "d": {"e": 2}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


@given(MAPPINGS, MAPPINGS)
def test_merging_keeps_every_key(one: dict[str, object], two: dict[str, object]) -> None:
    assert merge({}, one) == one
    assert merge(one, one) == one
    assert set(merge(one, two)) == set(one) | set(two)


def test_lookup_reads_in_order_and_leaves_braces_alone(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text('legend: "{{ instance }}"\na: 1\n')
    (tmp_path / "two.yaml").write_text("a: 2\n")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    found = LookupModule().run([str(tmp_path / name) for name in ("one.yaml", "two.yaml", "empty.yaml")])
    assert found == [{"legend": "{{ instance }}", "a": 2}]
    with pytest.raises(AnsibleError, match=r"the file .*three\.yaml cannot be read"):
        LookupModule().run([str(tmp_path / "three.yaml")])
