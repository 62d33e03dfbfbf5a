# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule files to names of Kubernetes objects: valid, different, and the same on every machine."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._rules.object_names import (
    NameCollisionError,
    object_names,
)

VALID = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def test_a_plain_file_keeps_its_name_wherever_it_lies() -> None:
    assert object_names(["/runner/contracts/alerts.yaml", "rules/slo-alerts.yaml"]) == {
        "/runner/contracts/alerts.yaml": "ias-platform-alerts",
        "rules/slo-alerts.yaml": "ias-platform-slo-alerts",
    }


@pytest.mark.parametrize(
    "files",
    [
        ["a/alerts.yaml", "b/alerts.yaml"],
        ["a/alerts.yaml", "a-alerts.yaml", "b/alerts.yaml"],
        ["alerts.yaml", "a/alerts.yaml"],
        ["alerts.yaml", "alerts.yml"],
        ["alerts.yaml", "Alerts.yaml"],
        ["my_rules.yaml", "my-rules.yaml", "my.rules.yaml"],
        ["/x/a/b/alerts.yaml", "/x/c/b/alerts.yaml"],
        ["é.yaml", "è.yaml", "___.yaml"],
        [f"{'a' * 300}.yaml", f"{'a' * 301}.yaml"],
    ],
)
def test_different_files_have_different_valid_names(files: list[str]) -> None:
    names = list(object_names(files).values())
    assert len(set(names)) == len(files)
    assert all(VALID.fullmatch(name) and len(name) <= 63 for name in names)


def test_a_name_depends_on_no_folder_above_those_that_differ() -> None:
    here, elsewhere = object_names(["/a/x/r.yaml", "/a/y/r.yaml"]), object_names(["/b/c/x/r.yaml", "/b/c/y/r.yaml"])
    assert list(here.values()) == list(elsewhere.values())


def test_a_file_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(NameCollisionError, match=r"a/alerts\.yaml: listed more than once"):
        object_names(["a/alerts.yaml", "a/./alerts.yaml"])


def test_a_name_that_is_taken_is_refused() -> None:
    (changed,) = object_names(["My.yaml"]).values()
    with pytest.raises(NameCollisionError, match="rename one of them"):
        object_names(["My.yaml", f"{changed.removeprefix('ias-platform-')}.yaml"])


@given(
    st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(lambda t: t.strip(".")), unique=True)
)
def test_any_names_of_files(files: list[str]) -> None:
    names = list(object_names(files).values())
    assert len(set(names)) == len(files)
    assert all(VALID.fullmatch(name) and len(name) <= 63 for name in names)
