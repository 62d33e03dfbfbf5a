# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._grafana.folders import (
    AmbiguousFolderError,
    Folder,
    below,
    find,
    make_uid,
    parts,
    resolve,
    walk,
)

TREE = [Folder("ias-platform", "IAS Platform"), Folder("x1", "GPU", "ias-platform"), Folder("x2", "GPU")]


def test_a_path_is_followed_from_the_root() -> None:
    assert find(TREE, parts("IAS Platform/ GPU/")) == "x1"
    assert find(TREE, parts("GPU")) == "x2"
    assert find(TREE, parts("IAS Platform/CPU")) is None
    assert find(TREE, ()) == ""


def test_two_folders_with_one_title_are_not_guessed_between() -> None:
    with pytest.raises(AmbiguousFolderError, match="2 folders are named GPU: x2, x3"):
        find([*TREE, Folder("x3", "GPU")], ("GPU",))


def test_ours_is_told_from_another_with_its_title() -> None:
    assert find([*TREE, Folder("other", "IAS Platform")], ("IAS Platform",)) == "ias-platform"


@pytest.mark.parametrize(("path", "uid"), [("IAS Platform", "ias-platform"), ("IAS Platform/GPU", "ias-platform-gpu")])
def test_uids_come_from_the_titles(path: str, uid: str) -> None:
    assert make_uid(parts(path)) == uid


@pytest.mark.parametrize("path", ["x" * 60, "Größe/" + "y" * 50, "日本"])
def test_any_title_makes_a_valid_uid(path: str) -> None:
    uid = make_uid(parts(path))
    assert 0 < len(uid) <= 40
    assert uid.isascii()
    assert uid == make_uid(parts(path))
    assert uid != make_uid(parts(path + "z"))


def test_below_survives_a_cycle() -> None:
    assert below([*TREE, Folder("a", "A", "b"), Folder("b", "B", "a")], "a") == {"a", "b"}
    assert below(TREE, "ias-platform") == {"ias-platform", "x1"}


def test_missing_folders_come_parents_first() -> None:
    uids, missing = resolve(TREE, [parts("A/B/C"), parts("IAS Platform/New")])
    assert missing == [
        Folder("a", "A"),
        Folder("a-b", "B", "a"),
        Folder("ias-platform-new", "New", "ias-platform"),
        Folder("a-b-c", "C", "a-b"),
    ]
    assert uids[parts("A/B/C")] == "a-b-c"


def test_two_paths_never_share_a_folder() -> None:
    uids, missing = resolve([], [parts("a/b-c"), parts("a-b/c")])
    assert len({folder.uid for folder in missing}) == len(missing) == 4
    assert uids == resolve(missing, [parts("a/b-c"), parts("a-b/c")])[0]
    assert make_uid(parts("General")) != "general"


def test_no_more_levels_are_listed_than_needed() -> None:
    levels = {
        "": [Folder("a", "A"), Folder("b", "B")],
        "a": [Folder("c", "C", "a"), Folder("d", "D", "a")],
        "c": [Folder("e", "E", "c")],
    }
    listed: list[str] = []

    def children(uid: str) -> list[Folder]:
        listed.append(uid)
        return levels.get(uid, [])

    assert len(walk(children, [parts("A/C")], None)) == 4
    assert listed == ["", "a"]
    listed.clear()
    assert len(walk(children, [parts("A")], parts("A"))) == 5
    assert sorted(listed) == ["", "a", "c", "d", "e"]


def test_ours_is_found_under_another_name() -> None:
    assert find([Folder("ias-platform", "Platform")], ("IAS Platform",)) == "ias-platform"
    assert find([Folder("ias-platform", "Platform", "x"), Folder("x", "X")], ("IAS Platform",)) is None
    uids, missing = resolve([Folder("a-b", "A b")], [("A b",), ("a-b",)])
    assert uids["A b",] == "a-b"
    assert [folder.title for folder in missing] == ["a-b"]
