# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routing against amtool: which configurations load, how matchers are read, and who is told of an alert."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.ias.observability.plugins.module_utils._alertmanager.configuration import Routing, load
from ansible_collections.ias.observability.plugins.module_utils._alertmanager.matchers import MatcherError, parse
from ansible_collections.ias.observability.plugins.module_utils._alertmanager.receivers import configured
from ansible_collections.ias.observability.plugins.module_utils._alertmanager.routing import LabelSet, match
from ansible_collections.ias.observability.plugins.module_utils._rules.report import RuleReport
from tests.unit._alertmanager.test_receivers import ALL
from tests.unit.rendering import program
from tools.contracts import programs

SEED = 20261125
CONFIGURATIONS = 500
NAMES = ["severity", "team", "alertname", "job", "größe"]
VALUES = ["critical", "warning", "a.b", "A", "", "größer", "x y", "5"]
PATTERNS = ["critical|warning", "crit", ".*", ".+", "a.b", "[a-z]+", "c(ritical)?", "", "^A$", "a)|(b", "\\w+", "x.*"]
OPERATORS = ["=", "!=", "=~", "!~"]
ODD: list[Any] = [None, "", 5, True, [], ["a"], {}, {"a": "b"}, "text", [None], [5], "0s", "5m", "5 m", "yes"]


def loads(folder: Path, texts: list[str]) -> list[bool]:
    """Whether Alertmanager would load each text, as amtool says it."""
    names = [f"{number}.yaml" for number in range(len(texts))]
    for name, text in zip(names, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    verdicts: dict[str, bool] = {}
    while rest := [name for name in names if name not in verdicts]:
        done = subprocess.run(
            [program("amtool"), "check-config", *rest], cwd=folder, capture_output=True, text=True, check=False
        )
        # its warnings come between; some files make it panic, and those behind them are not read then
        _version, *parts = re.split(r"^Checking '([^']+)'", done.stdout, flags=re.MULTILINE)
        assert parts, done.stderr
        verdicts |= {name: "  SUCCESS\n" in said for name, said in zip(parts[::2], parts[1::2], strict=True)}
    return [verdicts[name] for name in names]


def line(source: random.Random) -> str:
    """A matcher as somebody might write it."""
    operator = source.choice(OPERATORS)
    value = source.choice(PATTERNS if "~" in operator else VALUES)
    shown = value if source.random() < 0.3 else json.dumps(value, ensure_ascii=False)
    name = source.choice(NAMES)
    return source.choice(["{}{}{}", "{} {} {}", " {}{}{} ", "{{{}{}{}}}", '"{}"{}{}']).format(name, operator, shown)


def route(source: random.Random, depth: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if depth:
        made["matchers"] = [line(source) for _ in range(source.choice([0, 1, 1, 1, 2]))]
        if source.random() < 0.2:
            made["match"] = {source.choice(NAMES[:4]): source.choice(VALUES)}
        if source.random() < 0.2:
            made["match_re"] = {source.choice(NAMES[:4]): source.choice(PATTERNS)}
        made["continue"] = source.random() < 0.3
    if not depth or source.random() < 0.7:
        made["receiver"] = source.choice("abc")
    if depth < 3:
        made["routes"] = [route(source, depth + 1) for _ in range(source.choice([0, 1, 2, 4 - depth]))]
    return made


def configuration(source: random.Random) -> dict[str, Any]:
    return {
        "route": route(source),
        "receivers": [{"name": name} for name in "abc"],
        "inhibit_rules": [
            {"source_matchers": [line(source)], "target_match": {"severity": "warning"}, "equal": ["job"]}
        ],
        "time_intervals": [{"name": "night", "time_intervals": [{"times": []}]}],
    }


def changed(source: random.Random) -> Any:
    """A configuration of which one thing is different."""
    whole = configuration(source)
    places: list[dict[str, Any]] = [whole, whole["route"], *whole["route"]["routes"], *whole["receivers"]]
    places += whole["inhibit_rules"]
    place = source.choice(places)
    changes: list[Callable[[], object]] = [
        lambda: place.update({source.choice(list(place)): source.choice(ODD)}),
        lambda: place.update({source.choice(list(place)): source.choice(ODD)}),
        lambda: place.pop(source.choice(list(place))),
        lambda: place.update({source.choice(["x", "Route", "name", "receiver", "matchers"]): source.choice(ODD)}),
        lambda: whole["route"].update(
            {source.choice(["group_wait", "group_interval", "repeat_interval"]): source.choice(ODD)}
        ),
        lambda: whole["route"].update(
            group_by=source.choice([["..."], ["...", "a"], ["a", "a"], [""], ["größe"], ["...", "..."], [5]])
        ),
        lambda: whole["receivers"].append(source.choice([{"name": "a"}, {"name": "d"}, {}, {"webhook_configs": 5}])),
        lambda: source.choice(places[1:]).update(mute_time_intervals=source.choice([["night"], ["day"], []])),
        lambda: whole.update(
            time_intervals=source.choice([[{"name": "a"}, {"name": "a"}], [{}], [{"name": "a"}], ["a"]])
        ),
        lambda: whole["inhibit_rules"][0].update(
            {
                source.choice(["equal", "source_match", "source_match_re", "target_match"]): source.choice(
                    [{"größe": "a"}, {"a": "*"}, {"a": ["b"]}, {"a": 5}, {"a:b": "c"}, ["a"], [""], *ODD]
                )
            }
        ),
    ]
    if source.random() < 0.8:
        source.choice(changes)()
    return whole


def read(text: str) -> tuple[Routing | None, list[str]]:
    report = RuleReport()
    routing = load("a.yaml", text, report)
    return routing, [str(finding) for finding in report.findings if finding.severity == "error"]


def test_loads_what_alertmanager_loads(tmp_path: Path) -> None:
    source = random.Random(SEED)
    texts = [yaml.safe_dump(changed(source), allow_unicode=True, sort_keys=False) for _ in range(CONFIGURATIONS)]
    texts += ["", "a", "[]", "route: {receiver: a}", "route: {receiver: a}\nreceivers: [{name: a}]\nreceivers: []\n"]
    verdicts = loads(tmp_path, texts)
    wrong = [
        (text, verdict, errors)
        for text, verdict in zip(texts, verdicts, strict=True)
        if verdict == bool(errors := read(text)[1])
    ]
    assert len(texts) // 4 < sum(verdicts) < len(texts) * 3 // 4
    assert wrong == [], (len(wrong), wrong[:3])


def test_matchers_are_read_alike(tmp_path: Path) -> None:
    source = random.Random(SEED)
    pieces = [*NAMES[:2], *OPERATORS, "{", "}", ",", '"', "\\", "\\n", "\\u00e9", "'", "`", " ", "é", "a b", "(", "*"]
    lines = [line(source) for _ in range(300)]
    lines += ["".join(source.choices(pieces, k=source.randint(1, 6))) for _ in range(500)]
    lines += [f"{source.choice(lines)},{source.choice(lines)}" for _ in range(200)]
    lines = list(dict.fromkeys(lines))
    texts = [
        yaml.safe_dump({"route": {"receiver": "a", "routes": [{"matchers": [one]}]}, "receivers": [{"name": "a"}]})
        for one in lines
    ]
    verdicts = loads(tmp_path, texts)
    assert len(lines) // 5 < sum(verdicts) < len(lines) * 4 // 5
    wrong = [one for one, verdict in zip(lines, verdicts, strict=True) if verdict != _is_read(one)]
    assert wrong == [], (len(wrong), wrong[:20])


def _is_read(text: str) -> bool:
    try:
        parse(text)
    except MatcherError:
        return False
    return True


def test_tells_whom_alertmanager_tells(tmp_path: Path) -> None:
    source = random.Random(SEED)
    cases: list[tuple[Path, Routing, dict[str, str]]] = []
    for number in itertools.count():
        text = yaml.safe_dump(configuration(source), allow_unicode=True)
        routing, _errors = read(text)
        if routing is None:
            continue
        path = tmp_path / f"{number}.yaml"
        path.write_text(text, encoding="utf-8")
        for _ in range(6):
            labels = {name: source.choice(VALUES) for name in NAMES if source.random() < 0.6}
            cases.append((path, routing, labels))
        if len(cases) >= 240:
            break

    def asked(case: tuple[Path, Routing, dict[str, str]]) -> list[str]:
        path, _routing, labels = case
        given = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
        command = [program("amtool"), "config", "routes", "test", f"--config.file={path}", *given]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split(",")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(asked, cases))
    wrong = [
        (path.read_text(), labels, answer, got)
        for (path, routing, labels), answer in zip(cases, answers, strict=True)
        if (got := match(routing.root, LabelSet(copy.copy(labels))).receivers) != answer
    ]
    assert len({tuple(answer) for answer in answers}) >= 5
    assert wrong == [], (len(wrong), wrong[0])


def test_amtool_reads_the_contracts_routing_with_every_type(root: Path, tmp_path: Path) -> None:
    routing = yaml.safe_load((root / "contracts/alertmanager.yaml").read_text())
    file = tmp_path / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(configured(routing, ALL)))
    code, said = programs.run("amtool", "check-config", str(file))
    assert code == 0, said
