# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values files as Helm reads them."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._values.merge import ValuesError, load
from tests.unit._values.helm_scalars import HELM_READS, HELM_REFUSES
from tests.unit.rendering import helm

REFUSED_BY_US = {
    "{a: 1, a: 2}": "key 'a' is written twice in line 2, column 13",
    "{1: a, '1': b}": "key '1' is written twice in line 2, column 13",
    "{yes: a, true: b}": "key 'true' is written twice in line 2, column 15",
    "{a: {b: 1, c: 2, b: 3}}": "key 'b' is written twice in line 2, column 23",
    "{1.30: x}": "the key '1.30' is a number: write it in quotes in line 2, column 7",
}
"""Helm takes these, and makes something else of them than a reader would think."""


def values(text: str, path: Path) -> Path:
    path.write_text(f"values:\n  k: {text}\n")
    return path


def same(one: Any, two: Any) -> bool:
    """Every number is a float of 64 bits to Helm; a truth value is none."""
    return json.loads(json.dumps(one), parse_int=float) == json.loads(json.dumps(two), parse_int=float) and (
        isinstance(one, bool) == isinstance(two, bool)
    )


@pytest.mark.parametrize("text", HELM_READS)
def test_reads_as_helm_does(text: str, tmp_path: Path) -> None:
    read = load(str(values(text, tmp_path / "values.yaml")))["values"]["k"]
    assert same(read, HELM_READS[text]), read


@pytest.mark.parametrize("text", [*HELM_REFUSES, *REFUSED_BY_US])
def test_refuses_with_file_and_line(text: str, tmp_path: Path) -> None:
    path = values(text, tmp_path / "values.yaml")
    with pytest.raises(ValuesError, match=rf"^the file {path} .*in line \d+, column \d+$") as caught:
        load(str(path))
    assert REFUSED_BY_US.get(text, "") in str(caught.value)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "chart/templates").mkdir(parents=True)
    (tmp_path / "chart/Chart.yaml").write_text("{apiVersion: v2, name: t, version: 0.1.0}")
    (tmp_path / "chart/templates/all.yaml").write_text("all: {{ toJson .Values.values | toJson }}\n")
    return tmp_path / "chart"


def template(chart: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [helm(), "template", "t", str(chart), "--values", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(chart: Path, file: Path) -> Any:
    done = template(chart, file)
    assert done.returncode == 0, done.stderr
    return json.loads(json.loads(done.stdout.partition("all: ")[2]))


def test_the_table_is_what_helm_says(chart: Path, tmp_path: Path) -> None:
    whole = tmp_path / "values.yaml"
    whole.write_text("values:\n" + "".join(f"  k{at}: {text}\n" for at, text in enumerate(HELM_READS)))
    read = rendered(chart, whole)
    differences = {
        text: read[f"k{at}"] for at, text in enumerate(HELM_READS) if not same(read[f"k{at}"], HELM_READS[text])
    }
    assert differences == {}
    files = [values(text, tmp_path / f"{at}.yaml") for at, text in enumerate(HELM_REFUSES)]
    with ThreadPoolExecutor() as pool:
        codes = pool.map(lambda file: template(chart, file).returncode, files)
    assert [text for text, code in zip(HELM_REFUSES, codes, strict=True) if code == 0] == []


def test_what_was_read_means_the_same_to_helm_again(chart: Path, tmp_path: Path) -> None:
    """Values are handed over as JSON, in which nothing is left to be taken for something else."""
    read = {f"k{at}": load(str(values(text, tmp_path / "v.yaml")))["values"]["k"] for at, text in enumerate(HELM_READS)}
    (tmp_path / "values.json").write_text(json.dumps({"values": read}))
    again = rendered(chart, tmp_path / "values.json")
    assert [text for at, text in enumerate(HELM_READS) if not same(again[f"k{at}"], HELM_READS[text])] == []
