# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser against promtool, on expressions that are in no corpus; one file of rules, one call."""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
from collections.abc import Sequence

import pytest

from ansible_collections.ias.observability.plugins.module_utils._promql import Profile, PromQLError, parse
from ansible_collections.ias.observability.plugins.module_utils._promql.functions import AGGREGATORS, FUNCTIONS
from ansible_collections.ias.observability.plugins.module_utils._promql.profile import EXPERIMENTAL_FUNCTIONS
from tests.unit._promql.grammar import Grammar
from tests.unit.mutants import mutants
from tests.unit.rendering import program

COUNT = 1500
FEATURES = [(), (EXPERIMENTAL_FUNCTIONS,)]


def refused_by_promtool(promtool: str, features: Sequence[str], texts: Sequence[str]) -> dict[int, str]:
    """Why, by position. It names each rule that it refuses."""
    rules = [{"record": "a:b", "labels": {"n": str(number)}, "expr": text} for number, text in enumerate(texts)]
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=none", *(f"--enable-feature={one}" for one in features)],
        input=json.dumps({"groups": [{"name": "g", "rules": rules}]}, ensure_ascii=False).encode(),
        capture_output=True,
        check=False,
    )
    said = (done.stdout + done.stderr).decode()
    assert "FAILED:" in said, said[:500]
    found = re.findall(r'group "g", rule (\d+), "a:b": (.*)', said)
    assert found, said[:500]
    return {int(number) - 1: message for number, message in found}


def refused_by_us(texts: Sequence[str], profile: Profile) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, text in enumerate(texts):
        try:
            parse(text, profile)
        except PromQLError as error:
            found[number] = str(error)
    return found


def fresh(source: random.Random, profile: Profile) -> list[str]:
    """Drawn from the grammar, and such as are accepted with something changed."""
    drawn = [Grammar(source).expression(source.randint(0, 3)) for _ in range(COUNT)]
    refused = refused_by_us(drawn, profile)
    return [*drawn, *mutants([text for at, text in enumerate(drawn) if at not in refused], COUNT, source)]


def compare(texts: Sequence[str], promtool: str, features: Sequence[str]) -> int:
    """How many both refuse; there must be none that only one does."""
    theirs, ours = refused_by_promtool(promtool, features, texts), refused_by_us(texts, profile_of(promtool, features))
    wrong = {texts[at]: (theirs.get(at), ours.get(at)) for at in theirs.keys() ^ ours.keys()}
    assert wrong == {}, sorted(wrong.items(), key=lambda one: len(one[0]))[:5]
    return len(theirs)


def profile_of(promtool: str, features: Sequence[str]) -> Profile:
    """Built as a Go module it says v0.316.0, as a release 3.16.0."""
    version = re.search(r"version (?:v0\.)?(\d)\.?(\d+)", subprocess.check_output([promtool, "--version"], text=True))
    assert version is not None
    return Profile.of(f"{version[1]}.{version[2]}", features)


@pytest.mark.parametrize("features", FEATURES, ids=str)
def test_agrees_on_fresh_expressions(features: Sequence[str]) -> None:
    promtool = program("promtool")
    texts = fresh(random.Random(20261126), profile_of(promtool, features))
    assert len(texts) // 4 < compare(texts, promtool, features) < len(texts) * 3 // 4


def test_agrees_on_every_call() -> None:
    """Each function and aggregation with up to three arguments of every type, and with many of one."""
    values = ("a", "1", "a[5m]", "'s'")
    lists = [", ".join(chosen) for count in range(4) for chosen in itertools.product(values, repeat=count)]
    lists += [", ".join(["a", *["'s'"] * count]) for count in range(3, 6)]
    lists += [", ".join(["a", "'s'", *["1"] * count]) for count in range(1, 13)]
    texts = [f"{name}({given})" for name in (*FUNCTIONS, *AGGREGATORS, "unknown") for given in lists]
    refused = compare(texts, program("promtool"), (EXPERIMENTAL_FUNCTIONS,))
    assert 0 < refused < len(texts)
