# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dcgm-exporter's versions, as the lab's double speaks like them: each gives the panels and alerts the same numbers.

promtool computes the records and the panels of two nodes of one version each, and of both versions beside each other.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.platform.dcgm_exporter import VERSIONS, DcgmExporter
from tests.lab.platform.exporter import Clock
from tools import yaml_text
from tools.contracts import programs

NOW = 1_800_000_000.0
NODES = ("gpu-node", "other-node")


def exposed(version: str, node: str) -> Iterator[dict[str, str]]:
    """What the exporter of a node says for ten minutes, as promtool's series."""
    exporter = DcgmExporter(Clock(lambda: NOW), version)
    for family in exporter.families():
        for labels, value in family.samples:
            told = {**labels, "namespace": "n", "job": "dcgm-exporter", "instance": node}
            told |= {label: node for label in ("Hostname", "hostname") if label in labels}
            inside = ", ".join(f'{label}="{text}"' for label, text in told.items())
            yield {"series": f"{family.name}{{{inside}}}", "values": f"{value!r}x10"}


def panels(root: Path) -> list[str]:
    """The queries of the dashboard that ask for GPUs, for all of them."""
    dashboard = yaml_text.load((root / "contracts/dashboards/vllm.yaml").read_text())
    queries = [query for row in dashboard["rows"] for panel in row["panels"] for query in panel["queries"]]
    found = [query["expr"] for query in queries if re.search(r"\bgpu:", query.get("expr", ""))]
    return [expr.replace("$gpu", ".+") for expr in found if "vllm:" not in expr and ">" not in expr]


def computed(root: Path, folder: Path, versions: tuple[str, str], expected: dict[str, float]) -> tuple[int, str]:
    """Whether promtool computes the values, and what it says where it computes others."""
    shutil.copy(root / "contracts/records.yaml", folder)
    series = [one for version, node in zip(versions, NODES, strict=True) for one in exposed(version, node)]
    cases = [
        {"expr": expr, "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": value}]}
        for expr, value in expected.items()
    ]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": cases}
    content = {"rule_files": ["records.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "versions.tests.yaml").write_text(yaml.safe_dump(content))
    return programs.run("promtool", "test", "rules", "versions.tests.yaml", cwd=folder)


def test_panels_show_the_same_numbers_whatever_the_version(root: Path, tmp_path: Path) -> None:
    exprs = panels(root)
    assert len(exprs) >= 7
    odd = dict.fromkeys(exprs, -1.0)  # promtool shows what it computes where something else was expected
    old, middle, new = (computed(root, tmp_path, (version, version), odd)[1] for version in VERSIONS)
    assert old == middle == new
    assert computed(root, tmp_path, (VERSIONS[0], VERSIONS[-1]), odd)[1] == new
    assert new.count("got:") == len(exprs)
    for node in NODES:  # GPU 0 of one node is not that of another
        assert f'hostname="{node}"' in new


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ratio_is_a_ratio_and_memory_is_in_bytes(root: Path, tmp_path: Path, version: str) -> None:
    newest = {family.name: family.samples[0][1] for family in DcgmExporter(Clock(lambda: NOW), VERSIONS[-1]).families()}
    use, memory = newest["DCGM_FI_DEV_GPU_UTIL_RATIO"], newest["DCGM_FI_DEV_FB_USED_BYTES"]
    assert 0.35 <= use <= 0.88
    assert 52_000 <= memory / 2**20 <= 64_000
    expected = {
        f"abs(max(gpu:utilization:ratio) - {use!r}) < bool 1e-9": 1,
        "max(gpu:memory_used:bytes)": memory,
        "count(count by (hostname, gpu) (gpu:utilization:ratio))": 4,
    }
    assert computed(root, tmp_path, (version, version), expected)[0] == 0


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"DCGM_EXPORTER_VERSION is one of 4.8.2, 4.8.3, 4.9.0, not 5"):
        DcgmExporter(version="5")
