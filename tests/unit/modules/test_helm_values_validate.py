# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module: charts in folders, in archives and behind helm pull."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._values import schema
from ansible_collections.ias.observability.plugins.modules import helm_values_validate
from tests.fakes.module import run_module

CHART = {
    "Chart.yaml": "{name: api, version: 1.2.3}",
    "values.yaml": "replicas: 1\n",
    "templates/x.yaml": "{{ .Values.replicas }}{{ toYaml .Values.auth }}",
}
DB = {"Chart.yaml": "{name: db, version: 1.0.0}", "values.yaml": "port: 1\n", "templates/x.yaml": "{{ .Values.port }}"}
HELM = """#!{python} -IS
import pathlib, shutil, sys
arguments = sys.argv[1:]
if arguments[0] == "version":
    sys.exit(print("v4.3.1"))
with open({log!r}, "a") as log:
    print(" ".join(arguments[:-1]), file=log)
if "missing" in arguments[1]:
    sys.exit("Error: not found")
if "empty" not in arguments[1]:
    shutil.copy({archive!r}, arguments[arguments.index("--destination") + 1])
"""


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


def packed(files: dict[str, str | bytes], top: str = "api") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def run(**arguments: Any) -> dict[str, Any]:
    return run_module(helm_values_validate, check=True, **arguments)


def objects(result: dict[str, Any]) -> list[str]:
    return [f"{finding['id']} {finding['object']}" for finding in result["findings"]]


@pytest.fixture
def helm(tmp_path: Path) -> dict[str, str]:
    archive, log, binary = tmp_path / "api-1.2.3.tgz", tmp_path / "log", tmp_path / "helm"
    archive.write_bytes(packed(dict(CHART)))
    log.touch()
    binary.write_text(HELM.format(python=sys.executable, log=str(log), archive=str(archive)), encoding="utf-8")
    binary.chmod(0o755)
    return {"helm_binary": str(binary), "cache": str(tmp_path / "cache")}


def test_a_folder(tmp_path: Path) -> None:
    path = folder(tmp_path / "api", CHART)
    good = run(chart_ref=str(path), values={"replicas": 2})
    assert (good["changed"], good["findings"]) == (False, [])
    assert good["chart"] == {"name": "api", "version": "1.2.3", "digest": ""}
    bad = run(chart_ref=str(path), values={"replica": 2})
    assert bad["failed"] is True
    assert bad["msg"].startswith("The values do not fit api 1.2.3: 1 error\nerror: values:2:2 replica: ")


READ = ("replicas", "image.tag", "version", "level", "enabled")
RICH = {
    "Chart.yaml": "{name: api, version: 2.0.0}",
    "values.yaml": """\
replicas: 1
enabled: true
image: {tag: v1}
leftover: 1
# Deprecated: use image.tag
version: ''
""",
    "values.schema.json": '{"properties": {"level": {"enum": ["low", "high"]}}}',
    "templates/x.yaml": "".join(f"{{{{ .Values.{name} }}}}" for name in READ),
}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("replica: 2", "error values/unknown-key replica did you mean 'replicas'?"),
        ("tag: v2", "error values/unknown-key tag is it image.tag?"),
        ("image: v2", "error values/type image see the chart's values.yaml"),
        ("enabled: 'no'", "error values/type enabled any text counts as true: write it without quotes"),
        ("replicas: '2'", "warning values/type replicas write it without quotes"),
        ("leftover: 2", "warning values/unread-key leftover leave it out"),
        ("version: v2", "warning values/deprecated-key version Deprecated: use image.tag"),
        ("level: middle", "error values/schema level "),
        ("global: {dbPassword: hunter2}", "warning values/secret global.dbPassword refer to a Secret of the cluster, "),
    ],
)
@pytest.mark.parametrize("form", ["folder", "archive", "registry", "repository"])
def test_what_is_wrong_is_told_wherever_the_chart_comes_from(
    form: str, values: str, told: str, helm: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "api-1.2.3.tgz").write_bytes(packed(dict(RICH)))
    source = {
        "folder": {"chart_ref": str(folder(tmp_path / "api", RICH))},
        "archive": {"chart_ref": str(tmp_path / "api-1.2.3.tgz")},
        "registry": {"chart_ref": "oci://registry.test/api", "chart_version": "2.0.0"},
        "repository": {"chart_ref": "api", "chart_repository": "https://charts.test", "chart_version": "2.0.0"},
    }[form]
    (tmp_path / "v.yaml").write_text(f"# mine\n{values}\n")
    result = run(values_files=[str(tmp_path / "v.yaml")], **source, **helm)
    (finding,) = result["findings"]
    assert f"{finding['severity']} {finding['id']} {finding['object']} {finding['hint']}".startswith(told)
    assert (finding["file"], finding["line"]) == (str(tmp_path / "v.yaml"), 2)
    assert "api 2.0.0" in finding["message"] or finding["id"] not in {"values/unknown-key", "values/unread-key"}
    assert result.get("failed", False) is told.startswith("error")
    assert "hunter2" not in str(result)


def test_a_key_that_only_one_version_reads(helm: dict[str, str], tmp_path: Path) -> None:
    """Both are kept, and neither is taken for the other."""
    wanted = {"chart_ref": "oci://registry.test/api", "values": {"leftover": 2}, **helm}
    old = {**RICH, "templates/x.yaml": "{{ .Values.leftover }}"}
    for _turn in range(2):
        for version, files, expected in (("1.0.0", old, []), ("2.0.0", RICH, ["values/unread-key leftover"])):
            (tmp_path / "api-1.2.3.tgz").write_bytes(packed(dict(files)))
            assert objects(run(chart_version=version, **wanted)) == expected
    assert len((tmp_path / "log").read_text().splitlines()) == 2


def test_an_archive_with_a_packed_sub_chart(tmp_path: Path) -> None:
    archive = tmp_path / "api.tgz"
    archive.write_bytes(packed({**CHART, "charts/db-1.0.0.tgz": packed(dict(DB), "db"), "../escape.yaml": "x"}))
    result = run(chart_ref=str(archive), values={"db": {"port": 2, "prt": 3}})
    assert objects(result) == ["values/unknown-key db.prt"]
    assert len(result["chart"]["digest"]) == 64
    path = folder(tmp_path / "api", CHART)
    (path / "charts").mkdir()
    (path / "charts" / "db-1.0.0.tgz").write_bytes(packed(dict(DB), "db"))
    assert objects(run(chart_ref=str(path), values={"db": {"prt": 3}})) == ["values/unknown-key db.prt"]


def test_without_the_library_of_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed only where a chart has a schema."""
    monkeypatch.setattr(schema, "MISSING", "jsonschema")
    plain = run(chart_ref=str(folder(tmp_path / "plain", CHART)), values={"replicas": 2})
    assert plain["findings"] == []
    path = folder(tmp_path / "api", {**CHART, "values.schema.json": "{}"})
    result = run(chart_ref=str(path), values={"replicas": 2})
    assert result["failed"] is True
    assert "(jsonschema)" in result["msg"]
    assert "for the JSON Schema of api 1.2.3" in result["msg"]


def test_several_files(tmp_path: Path) -> None:
    path = folder(tmp_path / "api", CHART)
    files = folder(tmp_path, {"a.yaml": "\ufeffreplicas: 2\r\n", "b.yaml": "auth: {password: hunter2}\nx: 1\n"})
    names = [str(files / name) for name in ("a.yaml", "b.yaml", "c.yaml")]
    result = run(chart_ref=str(path), values_files=names)
    assert objects(result) == ["load/unreadable ", "values/secret auth.password", "values/unknown-key x"]
    assert "hunter2" not in str(result["findings"]) + result["msg"]
    assert result["summary"] == {"error": 2, "warning": 1, "info": 0, "files": 2}


def test_pulls_once_and_keeps_by_digest(helm: dict[str, str], tmp_path: Path) -> None:
    wanted = {"chart_ref": "oci://registry.test/api", "chart_version": "1.2.3", "values": {"replicas": 2}, **helm}
    first = run(**wanted)
    assert first["chart"]["name"] == "api"
    kept = tmp_path / "cache" / f"{first['chart']['digest']}.tgz"
    assert kept.is_file()
    assert run(**wanted) == first
    assert (tmp_path / "log").read_text().splitlines() == ["pull oci://registry.test/api --version 1.2.3 --destination"]
    kept.write_bytes(b"damaged")
    assert run(**wanted) == first
    run(**{**wanted, "chart_ref": "api", "chart_repository": "https://charts.test"})
    assert (tmp_path / "log").read_text().splitlines()[1:] == [
        "pull oci://registry.test/api --version 1.2.3 --destination",
        "pull api --repo https://charts.test --version 1.2.3 --destination",
    ]
    pinned = {
        **wanted,
        "chart_ref": f"oci://registry.test/api@sha256:{first['chart']['digest']}",
        "chart_version": None,
    }
    assert run(**pinned) == first
    # what is kept needs no helm any more
    assert run(**{**wanted, "helm_binary": "/nowhere/helm"}) == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"chart_ref": "/nowhere/api"}, "the chart /nowhere/api is not there"),
        ({"chart_ref": "oci://registry.test/api"}, "chart_version is needed"),
        ({"chart_ref": "api", "chart_repository": "https://charts.test"}, "chart_version is needed"),
        ({"chart_ref": "oci://registry.test/missing", "chart_version": "1"}, "helm pull oci://registry.test/missing"),
        ({"chart_ref": "oci://registry.test/empty", "chart_version": "1"}, "left no archive"),
        ({"chart_ref": "oci://registry.test/api", "chart_version": "1", "helm_binary": "/no/helm"}, "Helm is missing"),
        ({"chart_ref": "oci://registry.test/api", "chart_version": "1", "cache": "/dev/null/x"}, "cannot be written"),
    ],
)
def test_charts_that_cannot_be_had(arguments: dict[str, Any], message: str, helm: dict[str, str]) -> None:
    result = run(**{**helm, "values": {}, **arguments})
    assert result["failed"] is True
    assert message in result["msg"]
    assert "Traceback" not in str(result)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: b"", "is no chart"),
        (lambda: b"\xff\xfe\x00binary", "is no chart archive"),
        (lambda: packed(dict(CHART))[:-30], "is no chart archive"),
        (lambda: packed({"values.yaml": "a: 1"}), "has no Chart.yaml"),
        (lambda: packed({"Chart.yaml": "a: {"}), "is not YAML"),
        (
            lambda: packed({**CHART, "templates/big.yaml": b" " * (6 << 20)}),
            "templates/big.yaml in it has more than 5 MiB",
        ),
    ],
)
def test_archives_that_are_none(content: Callable[[], bytes], message: str, tmp_path: Path) -> None:
    (tmp_path / "api.tgz").write_bytes(content())
    result = run(chart_ref=str(tmp_path / "api.tgz"), values={})
    assert result["failed"] is True
    assert message in result["msg"]


@pytest.mark.parametrize(
    ("content", "identity"),
    [
        (b"", ""),
        (b"\xff\xfe\x00", "load/encoding"),
        (b"a: \x00", "values/file"),
        (b"- 1", "values/file"),
        (b"#" * (17 << 20), "load/too-large"),
        (b"replicas: 1\nreplicas: 2\n", "values/duplicate-key"),
        (b"a: &a [x,x]\nb: &b [*a,*a]\n", "values/unknown-key"),
    ],
)
def test_files_of_values(content: bytes, identity: str, tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_bytes(content)
    result = run(chart_ref=str(folder(tmp_path / "api", CHART)), values_files=[str(tmp_path / "v.yaml")])
    assert {finding["id"] for finding in result["findings"]} == ({identity} if identity else set())


def test_waivers(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("waivers: [{id: values/unknown-key, object: x, reason: r, until: 2999-01-01}]", encoding="utf-8")
    result = run(chart_ref=str(folder(tmp_path / "api", CHART)), values={"x": 1}, waivers=str(waivers))
    assert "failed" not in result
    assert [finding["object"] for finding in result["waived"]] == ["x"]


def test_something_to_check_is_needed() -> None:
    assert "one of the following is required: values_files, values" in run(chart_ref="x")["msg"]
