# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts that ask for what the lab does not have are refused with the image's and the chart's name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.lab import chart_folder, chart_images, toolchain
from tests.lab.state import LabError
from tests.unit.rendering import helm


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    binary = tmp_path / "bin" / "helm"
    binary.parent.mkdir()
    binary.symlink_to(Path(helm()).resolve())
    monkeypatch.setattr(chart_images, "STATE", tmp_path)
    return Path(shutil.copytree(chart_folder.STAND_INS, tmp_path / "charts"))


def test_the_stand_ins_ask_for_nothing_else(charts: Path) -> None:
    chart_images.require_known(charts)


def test_an_image_outside_the_table_is_named_with_its_chart(charts: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: docker.io/library/memcached:1.6}]}\n"
    (charts / "loki" / "templates" / "cache.yaml").write_text(pod)
    with pytest.raises(
        LabError, match=r"no image docker.io/library/memcached:1.6 \(chart loki\): add it to tests/lab/images.yaml"
    ):
        chart_images.require_known(charts)


def test_images_are_found_in_custom_resources_and_in_the_operators_argument() -> None:
    resource = {"kind": "Prometheus", "spec": {"image": "a/b:1", "containers": [{"image": "c/d:2"}]}}
    operator = {"spec": {"args": ["--web=x", "--prometheus-config-reloader=e/f:3"], "image": {"tag": "no reference"}}}
    assert chart_images.requested_images([resource, operator, None]) == {"a/b:1", "c/d:2", "e/f:3"}


@pytest.mark.parametrize(
    ("path", "place"), [("/bin/p", "/usr/bin/p"), ("/usr/bin/p", "/usr/bin/p"), ("", "/usr/local/bin/p")]
)
def test_no_program_takes_the_place_of_the_bases_link(path: str, place: str) -> None:
    assert chart_images.images.where(chart_images.images.Row(("docker.io/a/p:1",), program="p", path=path)) == place


def test_the_tables_programs_are_all_built() -> None:
    programs = {row.program for row in chart_images.images.table() if row.program}
    assert programs <= set(toolchain.load())
