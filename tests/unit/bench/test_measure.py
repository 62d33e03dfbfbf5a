# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from tests.bench import __main__ as bench
from tests.bench import alert_rules
from tests.bench.alert_rules import write_rule_files
from tests.bench.dashboards import ANGULAR, PANELS, QUERIES, UNUSED, VARIABLES, Made, dashboards
from tests.bench.grafana_sync import write_dashboards
from tests.bench.imports import imported
from tests.bench.interpreter import this
from tests.bench.measure import Figure, UnmeasurableError, peak_memory, pint, run


def figure(**changes: Any) -> Figure:
    return Figure(**{"what": "w", "against": "a", "ours": 1.0, "theirs": 2.0, "goal": 1.5, "bound": "b", **changes})


@pytest.mark.parametrize(
    ("changes", "ratio", "met"),
    [
        ({}, 0.5, True),
        ({"ours": 4.0}, 2.0, False),
        ({"faster": True}, 2.0, True),
        ({"faster": True, "goal": 3}, 2.0, False),
        ({"ours": 100.0, "goal": None}, 50.0, True),
        ({"memory_mib": 60.0}, 0.5, True),
        ({"memory_mib": 60.5, "goal": None}, 0.5, False),
        ({"memory_mib": 60.5, "memory_goal_mib": 300}, 0.5, True),
    ],
)
def test_a_goal_is_a_ratio(changes: dict[str, Any], ratio: float, met: bool) -> None:
    one = figure(**changes)
    assert (one.ratio, one.met) == (ratio, met)
    assert (one.as_dict()["ratio"], one.as_dict()["met"]) == (ratio, met)


def test_a_row_of_the_table() -> None:
    assert figure().as_row() == "| w | a | 1.00 s | 2.00 s | 0.50 x | ≤ 1.5 x |  | b |"
    assert figure(faster=True, goal=2).as_row() == "| w | a | 1.00 s | 2.00 s | 2.0 x faster | ≥ 2 x faster |  | b |"
    assert (
        figure(ours=0.0042, memory_mib=57.4).as_row() == "| w | a | 4.2 ms | 2.00 s | 0.00 x | ≤ 1.5 x | 57 MiB | b |"
    )
    assert figure(goal=None).as_row().count("|") == bench.HEAD.splitlines()[0].count("|")


def test_a_process_is_measured() -> None:
    ran = run([sys.executable, "-c", "import sys; print(sys.stdin.read()); sys.exit(3)"], "given")
    assert (ran.said, ran.status) == ("given\n", 3)
    assert ran.seconds > 0


def test_memory_is_that_of_the_module_alone() -> None:
    """Not that of this process, from which it is started."""
    ours = bytearray(200_000_000)
    ours[::4096] = b"x" * len(ours[::4096])
    nothing = json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp"}})
    assert 15 < peak_memory("grafana_backup", nothing) < 100
    del ours


def test_what_says_nothing_has_not_worked() -> None:
    with pytest.raises(UnmeasurableError, match="said nothing: oops"):
        run([sys.executable, "-c", "import sys; sys.exit('oops')"])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnmeasurableError, match="set IAS_SHARED"):
        write_rule_files(tmp_path / "none", tmp_path / "files")


def test_a_promtool_that_the_module_would_find_is_not_measured_within_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, asked, rules = tmp_path / "promtool", tmp_path / "asked", tmp_path / "rules.yaml"
    program.write_text(f"#!/bin/sh\ntouch {asked}\n")
    program.chmod(0o755)
    rules.write_text("groups: []\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(alert_rules, "ROUNDS", 1)
    alert_rules.compared([rules], "a peer", [sys.executable, "-c", "print('read')"], None, this())
    assert not asked.exists()


def test_dashboards_differ_in_their_names_only(tmp_path: Path) -> None:
    write_dashboards(tmp_path / "d", 3)
    specs = [json.loads(path.read_text()) for path in sorted((tmp_path / "d").iterdir())]
    assert [spec.pop("uid") for spec in specs] == ["bench-000", "bench-001", "bench-002"]
    assert len({spec.pop("title") for spec in specs}) == 3
    assert specs[0] == specs[1] == specs[2]


def test_the_run_fails_for_a_missed_goal_and_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def impossible(_: Path) -> Any:
        raise UnmeasurableError("no promtool")

    for figures, status in (([figure()], 0), ([figure(ours=9.0)], 1), ([], 1)):
        monkeypatch.setattr(bench, "BENCHMARKS", {"one": lambda _, found=figures: found, "two": impossible})
        monkeypatch.setattr(sys, "argv", ["bench"])
        assert bench.main() == status
        told = json.loads(capsys.readouterr().out)
        assert told["not_measured"] == {"two": "no promtool"}
        assert len(told["figures"]) == len(figures)


def test_pint_is_found_where_it_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pint"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PINT", str(program))
    assert pint() == str(program)
    monkeypatch.setenv("PINT", str(tmp_path / "none"))
    with pytest.raises(UnmeasurableError, match="set PINT to the program"):
        pint()


def test_generated_dashboards_have_what_published_ones_have() -> None:
    specs = [json.loads(one.text) for one in dashboards(["up", "rate(x_total[5m])"], 200, Random(1))]
    panels = [panel for spec in specs for panel in spec["panels"]]
    assert (len(specs), len(panels)) == (200, 200 * PANELS)
    assert sum(len(panel["targets"]) for panel in panels) == 200 * QUERIES
    assert sum(panel["type"] == "graph" for panel in panels) / len(panels) == pytest.approx(ANGULAR, rel=0.2)
    unused = sum(len(spec["templating"]["list"]) > 1 + len(VARIABLES) for spec in specs)
    assert unused / len(specs) == pytest.approx(UNUSED, rel=0.3)


def test_the_making_of_a_dashboard_does_not_count() -> None:
    made = Made(iter([Source("a.json", "{}"), Source("b.json", "{}")]))
    assert [one.path for one in made] == ["a.json", "b.json"]
    assert made.characters == 4
    assert made.seconds >= 0


def test_an_import_tells_what_is_large_in_it() -> None:
    found = imported("yaml")
    assert found.large == ("yaml",)
    assert 5 < found.memory_mib < 60
    assert found.seconds > 0


def test_it_starts_as_make_starts_it(root: Path) -> None:
    """With nothing on the path but the checkout."""
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    asked = subprocess.run([sys.executable, "-m", "tests.bench", "--help"], cwd=root, env=bare, check=False)
    assert asked.returncode == 0
