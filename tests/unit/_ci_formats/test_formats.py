# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from ansible_collections.ias.observability.plugins.module_utils._ci_formats import FORMATS
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding

ERROR = Finding("load/expr", "error", "unclosed (\n50%", "close it", "a b/é.yaml", 7, 3, "g/Down, now")
WARNING = Finding("rules/x", "warning", "a < b & c", file="/elsewhere/b.yaml")
INFO = Finding("rules/x", "info", "no place at all")
FOUND = [INFO, WARNING, ERROR]

# What SARIF 2.1.0's schema (schemas/sarif-schema-2.1.0.json of OASIS) asks of the objects that are written here.
TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 1}


def has(required: str, **properties: Any) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def each(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


PLACE = has(
    "artifactLocation",
    artifactLocation=has("", uri={**TEXT, "format": "uri-reference"}, uriBaseId=TEXT),
    region=has("", startLine=NUMBER, startColumn=NUMBER),
)
RESULT = has(
    "message",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=has("text", text=TEXT),
    locations=each(has("", physicalLocation=PLACE, logicalLocations=each(has("", fullyQualifiedName=TEXT)))),
)
RUN = has(
    "tool",
    tool=has("driver", driver=has("name", name=TEXT, rules=each(has("id", id=TEXT)))),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=each(RESULT),
)
SARIF = has("version runs", **{"$schema": TEXT, "version": {"enum": ["2.1.0"]}, "runs": each(RUN)})


@pytest.mark.parametrize("findings", [[], FOUND])
def test_sarif_is_of_its_schema(findings: list[Finding]) -> None:
    jsonschema.Draft202012Validator(SARIF).validate(json.loads(FORMATS["sarif"](findings, "error")))


def test_sarif_names_rule_level_and_place() -> None:
    run = json.loads(FORMATS["sarif"](FOUND, "error"))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["rules/x", "load/expr"]
    note, warning, error = run["results"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 0, 1]
    assert [result["level"] for result in run["results"]] == ["note", "warning", "error"]
    assert error["message"]["text"] == "unclosed (\n50% (close it)"
    assert error["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "a%20b/%C3%A9.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7, "startColumn": 3},
            },
            "logicalLocations": [{"fullyQualifiedName": "g/Down, now"}],
        }
    ]
    assert warning["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "file:///elsewhere/b.yaml"}}}]
    assert "locations" not in note


def test_a_workflow_command_is_one_line_and_errors_are_first() -> None:
    assert FORMATS["github"](FOUND, "error").splitlines() == [
        "::error file=a b/é.yaml,line=7,col=3,title=g/Down%2C now load/expr::unclosed (%0A50%25 (close it)",
        "::warning file=/elsewhere/b.yaml,title=rules/x::a < b & c",
        "::notice title=rules/x::no place at all",
    ]
    assert FORMATS["github"]([], "error") == ""


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 1), ("warning", 2), ("info", 3)])
def test_a_junit_case_fails_where_the_build_does(fail_on: Any, failures: int) -> None:
    suite = Xml.fromstring(FORMATS["junit"](FOUND, fail_on))
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", str(failures))
    assert len(suite.findall("testcase/failure")) == failures
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in suite}) == 3
    case = suite[2]
    assert (case.attrib["file"], case.attrib["line"]) == ("a b/é.yaml", "7")
    assert case[0].attrib == {"type": "error", "message": "unclosed (\n50%"}
    assert case[0].text == "a b/é.yaml:7:3 g/Down, now: unclosed (\n50% (close it) [load/expr]"


def test_junit_without_findings_is_a_case_that_passed() -> None:
    suite = Xml.fromstring(FORMATS["junit"]([], "info"))
    assert (suite.attrib["tests"], suite.attrib["failures"], len(suite), len(suite[0])) == ("1", "0", 1, 0)
