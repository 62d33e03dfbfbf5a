# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON Schema of a chart's values."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._values.schema import Validator
from tests.unit.rendering import helm

Schema = dict[str, Any]

JUDGED: list[tuple[Schema, Any, list[str]]] = [
    ({"type": ["string", "null"]}, None, []),
    ({"type": "number"}, True, ["must be number, not boolean"]),
    ({"type": "integer"}, 1.0, []),
    ({"type": "object"}, [], ["must be object, not array"]),
    ({"maximum": 3}, 4, ["must be at most 3"]),
    ({"minimum": 3}, 2, ["must be at least 3"]),
    ({"exclusiveMinimum": 3}, 3, ["must be more than 3"]),
    ({"exclusiveMaximum": 3}, 3, ["must be less than 3"]),
    ({"multipleOf": 5}, 12, ["must be a multiple of 5"]),
    ({"minLength": 8}, "hunter2", ["must have at least 8 characters"]),
    ({"maxLength": 3}, "hunter2", ["must have at most 3 characters"]),
    ({"pattern": "^[a-z]+$"}, "hunter2", ["must match ^[a-z]+$"]),
    ({"enum": ["a", 1]}, "hunter2", ["must be one of a, 1"]),
    ({"const": "a"}, "hunter2", ["must be a"]),
    ({"not": {"type": "string"}}, "hunter2", ["is what the chart's schema excludes"]),
    (
        {"items": {"type": "string"}},
        ["a", 1, 2],
        ["[1] must be string, not integer", "[2] must be string, not integer"],
    ),
    ({"minItems": 1}, [], ["must have at least 1 items"]),
    ({"maxItems": 1}, [1, 2], ["must have at most 1 items"]),
    ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], ["must not have an item twice"]),
    ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}], []),
    ({"contains": {"type": "string"}}, [1], ["breaks contains of the chart's schema"]),
    ({"minProperties": 1}, {}, ["must have at least 1 keys"]),
    ({"required": ["a"]}, {}, ["'a' is missing"]),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, [], ["fits none of the alternatives of the chart's schema"]),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 1, []),
    ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 3, ["fits more than one of the alternatives of the chart's schema"]),
    ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, 5, ["must be at most 3"]),
    ({"if": {"type": "string"}, "then": {"minLength": 8}}, "hunter2", ["must have at least 8 characters"]),
    ({"additionalProperties": {"type": "string"}}, {"a": 1}, ["a must be string, not integer"]),
    (
        {"additionalProperties": False},
        {"a": 1, "b": 1},
        ["a the chart's schema allows no such key", "b the chart's schema allows no such key"],
    ),
    ({"patternProperties": {"^a": {"type": "string"}}}, {"a1": 1, "b": 1}, ["a1 must be string, not integer"]),
    (
        {"patternProperties": {"^a": {}}, "additionalProperties": False},
        {"a": 1, "b": 1},
        ["b the chart's schema allows no such key"],
    ),
    ({"properties": {"a": False}}, {"a": 1}, ["a is what the chart's schema excludes"]),
    ({"properties": {"a": {"$ref": "#"}}, "type": "object"}, {"a": {"a": 1}}, ["a.a must be object, not integer"]),
    (
        {"$defs": {"n": {"minLength": 8}}, "properties": {"a": {"$ref": "#/$defs/n"}}},
        {"a": "hunter2"},
        ["a must have at least 8 characters"],
    ),
    (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"n": {"type": "string"}},
            "properties": {"a": {"$ref": "#/definitions/n"}},
        },
        {"a": 1},
        ["a must be string, not integer"],
    ),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, ["breaks dependentRequired of the chart's schema"]),
    (
        {"unevaluatedProperties": False, "properties": {"a": {}}},
        {"a": 1, "b": 1},
        ["b the chart's schema allows no such key"],
    ),
]


def judged(schema: Any, value: Any) -> list[str]:
    return sorted(
        " ".join((*(".".join(path),) * bool(path), message)) for path, message in Validator(schema).check(value)
    )


@pytest.mark.parametrize(("schema", "value", "messages"), JUDGED, ids=[json.dumps(each[:2]) for each in JUDGED])
def test_says_what_a_value_breaks_without_showing_it(schema: Schema, value: Any, messages: list[str]) -> None:
    assert judged(schema, value) == messages
    assert "hunter2" not in str(messages)


def test_helm_says_the_same(tmp_path: Path) -> None:
    def fits(at: int) -> bool:
        schema, value, _messages = JUDGED[at]
        chart = tmp_path / f"chart{at}"
        chart.mkdir()
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: t, version: 0.1.0}")
        # a reference into the schema is one into the value's own
        definitions = {key: schema[key] for key in ("$schema", "$defs", "definitions") if key in schema}
        text = json.dumps({**definitions, "properties": {"v": schema}})
        (chart / "values.schema.json").write_text(text.replace('"#"', '"#/properties/v"'))
        (chart / "values.json").write_text(json.dumps({"v": value}))
        command = [helm(), "template", "t", str(chart), "--values", str(chart / "values.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or "don't meet the specifications" in done.stderr, done.stderr
        return done.returncode == 0

    with ThreadPoolExecutor() as pool:
        said = list(pool.map(fits, range(len(JUDGED))))
    assert [JUDGED[at] for at, fit in enumerate(said) if fit != (not JUDGED[at][2])] == []


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", asked
        http.shutdown()


def test_nothing_is_fetched(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = server
    (tmp_path / "s.json").write_text('{"type": "string"}')
    for reference in (f"{url}/s.json", f"{url}/s.json#/a", f"file://{tmp_path}/s.json", "s.json", f"//{url[5:]}/s"):
        for keyword in ("$ref", "$dynamicRef"):
            assert judged({"properties": {"a": {keyword: reference}}}, {"a": 1}) == []
            assert judged({"$id": f"{url}/x", "$schema": f"{url}/y", "allOf": [{keyword: reference}]}, {"a": 1}) == []
    assert asked == []


def doubled(depth: int) -> Schema:
    definitions = {f"a{at}": {"allOf": [{"$ref": f"#/$defs/a{at + 1}"}] * 2} for at in range(depth)}
    return {"$defs": {**definitions, f"a{depth}": {"type": "object"}}, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (doubled(40), {}),
        ({"$ref": "#"}, 1),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, 1),
        ({"uniqueItems": True}, [{"a": at} for at in range(20_000)]),
        ({"enum": [{"a": at} for at in range(20_000)]}, {"a": -1}),
        ({"pattern": "^(a+)+$"}, "a" * 40 + "!"),
        ({"pattern": "(a|a)*b"}, "a" * 60),
        ({"pattern": r"^(\S+)+!$"}, "a" * 40),
        ({"pattern": "(a+b?)+c"}, "a" * 60),
        ({"pattern": "(?:a+)+c"}, "a" * 60),
        ({"pattern": "((a+))+c"}, "a" * 60),
        ({"pattern": "a*a*a*a*a*a*b"}, "a" * 5000),
        ({"pattern": "a*a*b"}, "a" * 256),
        ({"pattern": "a?" * 40 + "a" * 40}, "a" * 39),
        ({"pattern": "(a|a)" * 40 + "b"}, "a" * 40),
        ({"pattern": "(a{1,100}){1,100}b"}, "a" * 200),
        ({"pattern": "(?=(a+))\\1+b"}, "a" * 200),
        ({"pattern": "(" * 5000 + ")" * 5000}, "a"),
        ({"patternProperties": {"a*a*b": {}}, "additionalProperties": False}, {"a" * 5000: 1}),
        ({"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}, {"a" * 40 + "!": 1}),
        ({"propertyNames": {"pattern": "^(a+)+$"}}, {"a" * 40 + "!": 1}),
        ({"unevaluatedProperties": False, "patternProperties": {"^(a+)+$": {}}}, {"a" * 40 + "!": 1}),
    ],
)
def test_every_schema_is_answered_in_time(schema: Schema, value: Any) -> None:
    start = time.monotonic()
    judged(schema, value)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 1},
        {"type": "text"},
        {"properties": []},
        {"allOf": {}},
        {"required": 1},
        {"pattern": "("},
        {"pattern": []},
        {"multipleOf": 0},
        {"$schema": []},
        {"$ref": "#/nothing"},
        {"$ref": "#/%zz"},
        {"$ref": 1},
        {"enum": 1},
        {"minimum": "1"},
        {"patternProperties": {"(": {}}},
        {"additionalProperties": 1, "properties": 1},
    ],
    ids=json.dumps,
)
def test_what_is_no_schema_is_one_message(schema: Schema) -> None:
    for value in ({"a": 1}, 1.5, "a"):
        messages = judged(schema, value)
        assert len(messages) <= 1
        assert all("cannot be judged" in message for message in messages) or schema.get("enum")
