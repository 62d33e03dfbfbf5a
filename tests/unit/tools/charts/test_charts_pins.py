# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts that are behind, by a registry on a real socket; and what a mirror must hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fakes.http import HANG_UP, Reply, Request, Server, running_server
from tools import yaml_text
from tools.charts.__main__ import main
from tools.charts.versions import Newer, newer

TAGS = "/v2/charts/api/tags/list"
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def charts(server: Server, tmp_path: Path, root: Path) -> Path:
    """The contracts' pins, as charts of the registry; for all but `api` there is nothing newer."""
    server.ok("GET", "/v2/charts/settled/tags/list", {"tags": ["1.2.3"]})
    pins = yaml_text.load((root / "contracts/charts.yaml").read_text())
    for component, pin in pins["charts"].items():
        name = "api" if component == "tempo" else "settled"
        pin.update(chart=name, ref=f"oci://127.0.0.1:{server.port}/charts/{name}", version="1.2.3", digest="")
    path = tmp_path / "charts.yaml"
    path.write_text(yaml.safe_dump(pins))
    return path


def run(charts: Path, capsys: pytest.CaptureFixture[str], command: str = "outdated") -> tuple[int, str]:
    code = main([command, "--charts", str(charts)])
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize(
    ("existing", "of_all", "of_major"),
    [
        ([], "", ""),
        (["1.2.3", "1.2.2", "0.9.9"], "", ""),
        (["1.2.10", "1.2.9"], "1.2.10", "1.2.10"),
        (["2.0.0", "1.3.0"], "2.0.0", "1.3.0"),
        (["2.0.0-rc.1", "latest", "sha256-abc.sig"], "", ""),
    ],
)
def test_newer(existing: list[str], of_all: str, of_major: str) -> None:
    assert newer("1.2.3", existing) == Newer(of_all, of_major)


def test_a_newer_chart_is_named_with_the_line_of_its_pin(
    server: Server, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("GET", TAGS, Reply(200, {"tags": ["1.2.3"]}, {"Link": f'<{TAGS}?last=1.2.3>; rel="next"'}))
    server.on("GET", TAGS, Reply(200, {"tags": ["1.2.4", "2.0.0"]}))
    code, said = run(charts, capsys)
    lines = charts.read_text().splitlines()
    line = next(n for n in range(lines.index("  tempo:"), len(lines)) if "version: 1.2.3" in lines[n]) + 1
    assert code == 1
    assert f"{charts}:{line}: api 1.2.3: 2.0.0 is there; of this major: 1.2.4" in said


def test_nothing_newer(server: Server, charts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.ok("GET", TAGS, {"tags": ["1.2.3", "1.0.0"]})
    assert run(charts, capsys) == (0, "charts: 5 asked for, 0 to look at; a chart's images follow its version\n")


def test_a_registry_that_wants_a_token_gets_one(
    server: Server, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(request: Request) -> Reply:
        if request.headers.get("Authorization") == "Bearer open":
            return Reply(200, {"tags": ["1.2.3"]})
        return Reply(401, {}, {"WWW-Authenticate": f'Bearer realm="{server.url}/token",scope="repository:api:pull"'})

    server.on("GET", TAGS, listed)
    server.ok("GET", "/token", {"token": "open"})
    assert run(charts, capsys)[0] == 0
    assert server.seen("GET", "/token")[0].query == {"scope": ["repository:api:pull"]}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (HANG_UP, "127.0.0.1 cannot be reached"),
        (Reply(404, {}), f"127.0.0.1 answered {TAGS} with 404"),
        (Reply(200, [1]), "something that is no JSON object"),
        (Reply(401, {}, {"WWW-Authenticate": "Basic realm=x"}), "the registry wants a login (Basic)"),
    ],
)
def test_what_is_not_known_is_told(
    server: Server, charts: Path, capsys: pytest.CaptureFixture[str], reply: object, why: str
) -> None:
    server.on("GET", TAGS, reply)
    code, said = run(charts, capsys)
    assert code == 1
    assert "api 1.2.3: not known: " in said
    assert why in said


def test_a_tag_that_was_moved(server: Server, charts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pins = yaml_text.load(charts.read_text())
    pins["charts"]["tempo"]["digest"] = OLD
    charts.write_text(yaml.safe_dump(pins))
    server.ok("GET", TAGS, {"tags": ["1.2.3"]})
    server.on("GET", "/v2/charts/api/manifests/1.2.3", Reply(200, {}, {"Docker-Content-Digest": NEW}))
    code, said = run(charts, capsys)
    assert code == 1
    assert f"api 1.2.3 is {NEW} now, not {OLD}" in said


def test_versions_of_a_helm_repository(server: Server, charts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pins = yaml_text.load(charts.read_text())
    pin = pins["charts"]["tempo"]
    pin.update(ref="https://charts.test/api-1.2.3.tgz", index=f"{server.url}/index.yaml")
    charts.write_text(yaml.safe_dump(pins))
    server.ok("GET", "/index.yaml", {"entries": {"api": [{"version": "1.3.0"}, {"version": "1.2.3"}]}})
    code, said = run(charts, capsys)
    assert code == 1
    assert "api 1.2.3: 1.3.0 is there" in said


def test_pins_that_break_the_schema_are_refused_before_anybody_is_asked(
    server: Server, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    charts.write_text(charts.read_text().replace("version: 1.2.3", "version: new"))
    code, said = run(charts, capsys)
    assert code == 2
    assert f"{charts}:" in said
    assert server.requests == []


def test_the_mirror_holds_every_chart_and_image_once(
    charts: Path, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    code, said = run(root / "contracts/charts.yaml", capsys, "mirror")
    lines = said.splitlines()
    pins = yaml_text.load((root / "contracts/charts.yaml").read_text())["charts"].values()
    assert code == 0
    assert len(lines) == len(set(lines))
    for pin in pins:
        assert any(line.startswith(pin["ref"]) and pin["version"] in line for line in lines)
        for image in pin["images"]:
            assert any(line.startswith(f"{image['repository']}:{image['tag']}") for line in lines)
