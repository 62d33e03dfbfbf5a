# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._findings import Finding
from ansible_collections.ias.observability.plugins.module_utils._grafana.ownership import (
    Stamp,
    add_owner,
    read_stamp,
    restamp,
    stamp,
)
from ansible_collections.ias.observability.plugins.module_utils._grafana.plan import (
    Desired,
    Observed,
    Policy,
    plan,
    to_desired,
)
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.files import Dashboard
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.normalise import digest, normalise

OWNER = "ias.observability"
SPEC: dict[str, Any] = {"uid": "a", "title": "A", "panels": [{"id": 1, "type": "stat", "title": "Rate"}]}


def desired(**changes: Any) -> Desired:
    spec = {**SPEC, **changes}
    return to_desired(Dashboard("a.json", "a", spec["title"], ("Folder",), spec), "folder", OWNER)


def observed(spec: dict[str, Any] | None = None, *, message: str = "", folder: str = "folder", **rest: Any) -> Observed:
    version = rest.pop("version", 7)
    return Observed(
        "a", "A", folder, spec or add_owner(SPEC, OWNER), "7", version, message, "ada", "2026-11-01", **rest
    )


def ours(spec: dict[str, Any] | None = None, **rest: Any) -> Observed:
    """As our last write left it."""
    spec = spec or add_owner(SPEC, OWNER)
    return observed(spec, message=stamp("Synced", OWNER, Stamp(digest(spec), 7)), **rest)


def actions(there: Observed | None, policy: Policy, *, want_it: bool = True) -> list[str]:
    """The actions, or the ids of the conflicts."""
    steps, findings = plan([desired()] if want_it else [], {"a": there} if there else {}, policy)
    return [step.action for step in steps] + [finding.id for finding in findings]


IN = {"folder"}
OLD = add_owner({**SPEC, "panels": []}, OWNER)
FOREIGN = {**SPEC, "tags": ["team-x"]}


@pytest.mark.parametrize(
    ("there", "policy", "expected"),
    [
        (None, Policy(OWNER), "create"),
        (ours(), Policy(OWNER), "unchanged"),
        (ours(OLD), Policy(OWNER), "update"),
        (ours(folder="elsewhere"), Policy(OWNER), "update"),
        (observed(), Policy(OWNER), "unchanged"),  # saved by hand, without a change
        (observed(OLD), Policy(OWNER), "dashboards/edited"),
        (observed(OLD), Policy(OWNER, edited="keep"), "keep"),
        (observed(OLD), Policy(OWNER, edited="overwrite"), "update"),
        (observed(FOREIGN), Policy(OWNER), "dashboards/foreign"),
        (observed(FOREIGN), Policy(OWNER, adopt=True), "update"),
        (ours(manager="terraform"), Policy(OWNER), "dashboards/managed"),
        (observed(FOREIGN, manager="terraform"), Policy(OWNER, adopt=True, edited="overwrite"), "dashboards/managed"),
        # A program that reads, changes and writes keeps our message; the version tells.
        (ours(OLD, version=8), Policy(OWNER), "dashboards/edited"),
        (ours(version=8), Policy(OWNER), "unchanged"),
        (ours(OLD, version=6), Policy(OWNER), "update"),  # restored from a backup
        # A newer Grafana shows a migrated spec: our stamp says that it is what we sent.
        (
            observed({**OLD, "x": 1}, message=stamp("m", OWNER, Stamp(desired().fingerprint, 7))),
            Policy(OWNER),
            "unchanged",
        ),
        # Another owner's stamp says nothing about ours.
        (observed(OLD, message=stamp("m", "other", Stamp("0" * 16, 7))), Policy(OWNER), "dashboards/edited"),
    ],
)
def test_what_happens_to_a_wanted_dashboard(there: Observed | None, policy: Policy, expected: str) -> None:
    assert actions(there, policy) == [expected]


@pytest.mark.parametrize(
    ("there", "policy", "expected"),
    [
        (ours(), Policy(OWNER), []),
        (ours(), Policy(OWNER, prune_in=IN), ["delete"]),
        (observed(), Policy(OWNER, prune_in=IN), ["dashboards/edited"]),
        (observed(), Policy(OWNER, prune_in=IN, edited="keep"), ["keep"]),
        (observed(), Policy(OWNER, prune_in=IN, edited="overwrite"), ["delete"]),
        (observed(FOREIGN), Policy(OWNER, prune_in=IN, adopt=True, edited="overwrite"), []),
        (ours(folder="elsewhere"), Policy(OWNER, prune_in=IN), []),
    ],
)
def test_only_our_own_surplus_is_pruned(there: Observed, policy: Policy, expected: list[str]) -> None:
    assert actions(there, policy, want_it=False) == expected


def test_a_conflict_names_who_and_when() -> None:
    _, (finding,) = plan([desired()], {"a": observed(OLD)}, Policy(OWNER))
    assert isinstance(finding, Finding)
    assert finding.file == "a.json"
    assert "by ada at 2026-11-01" in finding.message


@pytest.mark.parametrize(
    "noise",
    [
        {"id": 5},
        {"version": 9},
        {"schemaVersion": 42},
        {"iteration": 1},
        {"links": []},
        {"description": None},
        {"panels": [{"id": 77, "type": "stat", "title": "Rate", "links": []}]},
        {"panels": [{"id": 77, "type": "stat", "title": "Rate", "transparent": False, "repeatDirection": "h"}]},
        {"editable": True, "graphTooltip": 0, "timezone": "browser", "preload": False, "style": "dark"},
        {"annotations": {"list": [{"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}}]}},
        {"annotations": {"list": [{"builtIn": 1, "datasource": "-- Grafana --"}]}},
    ],
)
def test_noise_makes_no_difference(noise: dict[str, Any]) -> None:
    assert normalise({**SPEC, **noise}) == normalise(SPEC)
    assert digest({**SPEC, **noise}) == digest(SPEC)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "B"},
        {"panels": []},
        {"editable": False},
        {"graphTooltip": 1},
        {"liveNow": 0},  # not the False that is its default
        {"panels": [{"id": 1, "type": "stat", "title": "Rate", "transparent": True}]},
        {"annotations": {"list": [{"datasource": "-- Grafana --", "name": "Deploys"}]}},
        {"tags": ["x"]},
        {"panels": [{"id": 1, "type": "stat", "title": "Rate", "targets": [{"expr": "up"}]}]},
    ],
)
def test_content_does(change: dict[str, Any]) -> None:
    assert normalise({**SPEC, **change}) != normalise(SPEC)
    assert digest({**SPEC, **change}) != digest(SPEC)


def panel(title: str, x: int, y: int) -> dict[str, Any]:
    return {"title": title, "gridPos": {"x": x, "y": y, "w": 6, "h": 4}}


def test_panels_are_where_they_are_shown() -> None:
    one, two, three = panel("a", 0, 0), panel("b", 6, 0), panel("c", 0, 4)
    assert normalise({"panels": [three, two, one]}) == normalise({"panels": [one, two, three]})
    assert normalise({"panels": [one, panel("b", 0, 4)]}) != normalise({"panels": [one, two]})


def test_a_long_message_keeps_its_stamp() -> None:
    message = stamp("x" * 900, OWNER, Stamp("0123456789abcdef", 12))
    assert len(message) <= 500
    assert read_stamp(message, OWNER) == Stamp("0123456789abcdef", 12)
    assert read_stamp(restamp(message, 3), OWNER) == Stamp("0123456789abcdef", 3)
    assert restamp("by hand", 3) == "by hand"


def test_a_dashboard_has_one_owner() -> None:
    assert add_owner({"tags": ["a", "managed-by:other"]}, OWNER)["tags"] == ["a", f"managed-by:{OWNER}"]
