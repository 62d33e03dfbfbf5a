# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a repository validates its files: each must fail for three alerts that do not do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import yaml

IDS = ["rules/rate-not-ratio", "rules/hq-no-rate", "rules/target-may-vanish"]
RIGHT = {
    # of the three alerts: what is wrong, and what is right
    r"sum by \(job\) \((rate\(http_requests_total\{job=\"api\")(, code=~\"5..\")(\}\[5m\]\))\) > 0.05": (
        r"sum by (job) (\1\2\3) / sum by (job) (\1\3) > 0.05 and sum by (job) (\1\3) > 1"
    ),
    r"(0\.99), (http_request_duration_seconds_bucket\{[^}]*\})": r"\1, sum by (job, le) (rate(\2[5m]))",
    r"(up\{job=\"api\"\}) == 0": r"\1 == 0 or absent(\1)",
    r"\{\{ \$labels.instance \}\} is down": "{{ $labels.job }} is down",
}

Way = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(root: Path, tmp_path: Path) -> Path:
    """A team's repository, with spaces in its path."""
    folder = tmp_path / "a team"
    shutil.copytree(root / "tests" / "fakes" / "wrong_alerts", folder / "rules")
    return folder


@pytest.fixture
def right(repository: Path) -> None:
    """The same alerts, as they should be."""
    file = repository / "rules" / "alerts.yaml"
    text = file.read_text()
    for wrong, instead in RIGHT.items():
        text, count = re.subn(wrong, instead, text)
        assert count == 1, wrong
    file.write_text(text)


@pytest.fixture
def start(repository: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command in the repository, with no configuration but its own, and without a promtool."""

    def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PWD": "/",  # pre-commit leaves that of its own caller
        }
        return subprocess.run(
            command,
            cwd=repository,
            env={**own, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture(params=["playbook", "pre-commit", "github", "gitlab"])
def way(request: pytest.FixtureRequest, root: Path, start: Any, tmp_path: Path) -> Way:
    installed = {"ANSIBLE_COLLECTIONS_PATH": str(root / "collections")}

    def playbook() -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = start(
            "ansible-playbook", "ias.observability.validate", "-e", "src=.", **installed
        )
        return done

    def pre_commit() -> subprocess.CompletedProcess[str]:
        """A hook of the language `script`: its entry is a path below the hook's repository, run in the user's."""
        (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
        assert (hook["language"], hook["pass_filenames"]) == ("script", False)
        assert re.search(hook["files"], "rules/alerts.yaml")
        done: subprocess.CompletedProcess[str] = start(str(root / hook["entry"]))
        return done

    def github() -> subprocess.CompletedProcess[str]:
        action = yaml.safe_load((root / "action.yml").read_text())
        values = {f"inputs.{name}": given["default"] for name, given in action["inputs"].items()}
        values["runner.temp"] = str(tmp_path)
        assert action["runs"]["using"] == "composite"
        for step in action["runs"]["steps"]:
            assert "${{" not in step["run"]
            variables = {name: expanded(text, values) for name, text in step.get("env", {}).items()}
            shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
            done: subprocess.CompletedProcess[str] = start(*shell, GITHUB_ACTION_PATH=str(root), **variables)
        return done

    def gitlab() -> subprocess.CompletedProcess[str]:
        job = yaml.safe_load((root / "ci" / "gitlab.yml").read_text())["observability-validate"]
        script = "\n".join([*job["before_script"], *job["script"]])
        done: subprocess.CompletedProcess[str] = start(
            "bash", "-eo", "pipefail", "-c", script, **job["variables"], **installed
        )
        assert job["artifacts"]["reports"]["junit"] == "observability-junit.xml"
        return done

    return {"playbook": playbook, "pre-commit": pre_commit, "github": github, "gitlab": gitlab}[request.param]


def expanded(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: values[found[1]], text)


def test_three_wrong_alerts_fail_the_build(way: Way, repository: Path) -> None:
    done = way()
    assert done.returncode not in {0, 126, 127}, done.stderr
    assert "The files are not fit for use: 3 warnings" in done.stderr + done.stdout
    for identity in IDS:
        assert f"[{identity}]" in done.stdout
    assert "rules/alerts.yaml:6:15 api/ApiErrorRate" in done.stdout
    assert str(repository) not in done.stdout


@pytest.mark.usefixtures("right")
def test_right_ones_do_not(way: Way) -> None:
    done = way()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "findings: nothing found" in done.stdout


@pytest.mark.parametrize("way", ["github"], indirect=True)
def test_github_is_told_line_by_line(way: Way) -> None:
    commands = [line for line in way().stdout.splitlines() if line.startswith("::warning file=rules/alerts.yaml,line=")]
    assert len(commands) == len(IDS)


@pytest.mark.parametrize("way", ["gitlab"], indirect=True)
def test_gitlab_gets_a_test_report(way: Way, repository: Path) -> None:
    way()
    suite = Xml.parse(repository / "observability-junit.xml").getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "3")


def test_every_kind_of_file_in_one_report(root: Path, start: Any, repository: Path) -> None:
    """Rules, a dashboard and values of a chart, each with a fault; what one validator cannot read stops no other."""
    chart = repository / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{name: api, version: 1.0.0}")
    (chart / "values.yaml").write_text("replicas: 1\n")
    (chart / "values-prod.yaml").write_text("replica: 2\n")
    (chart / "templates" / "api.yaml").write_text("{{ .Values.replicas }}")
    broken = repository / "broken"
    broken.mkdir()
    (broken / "Chart.yaml").write_text("[")
    (broken / "values.yaml").write_text("a: 1\n")
    query = {"refId": "A", "expr": "sum(rate(x[5m])", "datasource": {"type": "prometheus", "uid": "p"}}
    panel = {"id": 1, "type": "timeseries", "title": "A", "targets": [query]}
    dashboard = {"uid": "a", "title": "A", "schemaVersion": 42, "panels": [panel]}
    (repository / "dashboard.json").write_text(json.dumps(dashboard))
    done = start(str(root / "ci" / "validate"), "-e", "sarif=found.sarif", "-e", "fail_on=error", "-v")
    assert done.returncode == 2
    results = json.loads((repository / "found.sarif").read_text())["runs"][0]["results"]
    by_id = {result["ruleId"]: result for result in results}
    assert {*IDS, "dashboards/query", "values/unknown-key", "validate/not-run"} <= by_id.keys()
    assert "unclosed left parenthesis" in by_id["dashboards/query"]["message"]["text"]
    place = by_id["values/unknown-key"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "chart/values-prod.yaml"
    assert "Helm values: 3" in done.stdout


def test_values_without_a_chart_beside_them(root: Path, start: Any, repository: Path) -> None:
    """The variable helm_values says which chart; paths are relative to where the command is run."""
    for name, text in (("charts/api/Chart.yaml", "{name: api, version: 1.0.0}"), ("prod/api.yaml", "replica: 2\n")):
        (repository / name).parent.mkdir(parents=True)
        (repository / name).write_text(text)
    values = {"helm_values": [{"values_files": ["prod/api.yaml"], "chart_ref": "./charts/api"}]}
    done = start(str(root / "ci" / "validate"), "-e", json.dumps(values), "-e", "fail_on=error")
    assert done.returncode == 2
    assert "* error: prod/api.yaml:1:1 replica: api 1.0.0 has no value" in done.stdout


def test_nothing_to_validate_fails(root: Path, start: Any, repository: Path) -> None:
    shutil.rmtree(repository / "rules")
    done = start(str(root / "ci" / "validate"))
    assert done.returncode == 2
    assert "no rule file, no dashboard and no Helm values" in done.stdout + done.stderr


def test_check_mode_writes_nothing(root: Path, start: Any, repository: Path) -> None:
    done = start(str(root / "ci" / "validate"), "-e", "sarif=found.sarif", "--check")
    assert done.returncode == 2
    assert [path.name for path in repository.iterdir()] == ["rules"]


def test_without_ansible_it_says_what_to_install(root: Path, start: Any) -> None:
    done = start("/bin/sh", str(root / "ci" / "validate"), PATH="/usr/bin:/bin")
    assert done.returncode == 2
    assert done.stderr == "ansible-playbook is not there: python3 -m pip install ansible-core jsonschema\n"
