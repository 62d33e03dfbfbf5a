# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Template variables: which query gives their values, which of them are chosen, how they stand in a query."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .._promql import patterns
from .._promql.re2 import RegexError
from .json_values import mapping
from .json_values import text as text_of

if TYPE_CHECKING:  # as in `files`
    from .model import DataSource

ALL = "$__all"
REFERENCE = re.compile(r"\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?:\.\w+)?(?::([^{}$]+))?\}")
LABEL = re.compile(r"[\w.:-]+")
REGEX_SPECIAL = re.compile(r"[\\^$*+?.()|[\]{}]")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The values that a variable has. ``pattern`` is a text that stands for all of them and is not escaped."""

    values: tuple[str, ...]
    multi: bool = False
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One request to a data source's API that lists values."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    read: Callable[[Any], list[str]] = lambda answer: [str(value) for value in answer["data"]]


class UnsupportedError(ValueError):
    """A kind of variable that nobody here can ask for."""


def substitute(text: str, chosen: Mapping[str, Chosen]) -> str:
    """Put the values in. What is no variable of the dashboard (a macro such as $__rate_interval) stays."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        return render(chosen[name], match[3] or match[5] or "") if name in chosen else match[0]

    return REFERENCE.sub(value, text)


def substitute_all(node: Any, chosen: Mapping[str, Chosen]) -> Any:
    """Put the values in wherever a text is."""
    if isinstance(node, str):
        return substitute(node, chosen)
    if isinstance(node, list):
        return [substitute_all(item, chosen) for item in node]
    if isinstance(node, dict):
        return {key: substitute_all(item, chosen) for key, item in node.items()}
    return node


def render(chosen: Chosen, how: str) -> str:
    """The text for a variable, as Grafana's formats and the defaults of its Prometheus and Loki data sources do."""
    if chosen.pattern:
        return chosen.pattern
    values = chosen.values
    if how in FORMATS:
        return FORMATS[how](values)
    if not chosen.multi:
        return values[0].replace("\\", "\\\\").replace('"', '\\"') if values else ""
    escaped = [REGEX_SPECIAL.sub(r"\\\\\g<0>", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _regex(values: Sequence[str]) -> str:
    escaped = [REGEX_SPECIAL.sub(r"\\\g<0>", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _quoted(mark: str) -> Callable[[Sequence[str]], str]:
    return lambda values: ",".join(mark + value.replace(mark, f"\\{mark}") + mark for value in values)


FORMATS: Mapping[str, Callable[[Sequence[str]], str]] = {
    "raw": ",".join,
    "csv": ",".join,
    "text": " + ".join,
    "pipe": "|".join,
    "regex": _regex,
    "json": lambda values: json.dumps(list(values)),
    "glob": lambda values: values[0] if len(values) == 1 else f"{{{','.join(values)}}}",
    "doublequote": _quoted('"'),
    "singlequote": _quoted("'"),
}


def label_values(text: str) -> tuple[str, str] | None:
    """(selector, label) of label_values(selector, label); the selector is empty where there is none."""
    selector, _comma, label = ("," + _argument(text, "label_values")).rpartition(",")
    return (selector[1:].strip(), label.strip()) if LABEL.fullmatch(label.strip()) else None


def _argument(text: str, function: str) -> str:
    """What stands in the brackets of the function that the text calls; empty where it does not."""
    call = text.strip()
    return call[len(function) + 1 : -1] if call.startswith(f"{function}(") and call.endswith(")") else ""


def lookup(source_type: str, query: Any) -> Lookup:
    """The request that a query variable stands for; its text has no variables in it any more."""
    described = mapping(query)
    text = text_of(query) or text_of(described.get("query"))
    if source_type == "prometheus":
        return _prometheus_lookup(text)
    if source_type == "loki":
        return _loki_lookup(described, text)
    raise UnsupportedError(f"variables of {source_type or 'no data source'} cannot be asked for")


def _prometheus_lookup(text: str) -> Lookup:
    if found := label_values(text):
        selector, label = found
        return Lookup(f"/api/v1/label/{label}/values", {"match[]": selector} if selector else {})
    if regex := _argument(text, "metrics"):
        matches = _matcher(regex)
        return Lookup(
            "/api/v1/label/__name__/values", read=lambda answer: [name for name in answer["data"] if matches(name)]
        )
    if text.strip() == "label_names()":
        return Lookup("/api/v1/labels")
    return Lookup("/api/v1/query", {"query": _argument(text, "query_result") or text}, read=_series_texts)


def _series_texts(answer: Any) -> list[str]:
    """Series as Grafana writes them for a variable's regular expression to pick from."""
    result = answer["data"]["result"]
    if answer["data"].get("resultType") == "scalar":
        return [str(result[1])]
    return [_series_text(series["metric"], series["value"]) for series in result]


def _series_text(metric: Mapping[str, str], value: Sequence[Any]) -> str:
    labels = ",".join(f'{name}="{text}"' for name, text in metric.items() if name != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}} {value[1]} {int(float(value[0]) * 1000)}"


def _loki_lookup(query: Mapping[str, Any], text: str) -> Lookup:
    if label := text_of(query.get("label")):
        stream = text_of(query.get("stream"))
    elif found := label_values(text):
        stream, label = found
    else:
        raise UnsupportedError(f"the Loki variable query {text!r} cannot be asked for")
    return Lookup(f"/loki/api/v1/label/{label}/values", {"query": stream} if stream else {})


def pick(values: Sequence[str], regex: str) -> list[str]:
    """What a variable's regular expression leaves of the values: its group `value`, its first group, or all."""
    if not regex:
        return list(dict.fromkeys(values))
    matches = _matcher(regex)
    picked = [match.value for value in values if (match := matches(value))]
    return list(dict.fromkeys(picked))


class _Match(NamedTuple):
    value: str
    """What is picked."""


def _matcher(regex: str) -> Callable[[str], _Match | None]:
    """JavaScript's /body/flags, or a body. UnsupportedError for what is not understood, or takes too long."""
    body, flags = regex, ""
    if regex.startswith("/") and "/" in regex[1:]:
        body, _slash, flags = regex[1:].rpartition("/")
    budget = patterns.Budget()

    def unsupported(error: RegexError) -> UnsupportedError:
        shown = regex if len(regex) <= 60 else f"{regex[:60]}…"
        return UnsupportedError(f"its regular expression {shown} cannot be used: {error}")

    try:
        multiline = "(?m)" if "m" in flags else ""
        pattern = patterns.compile(multiline + body, dot_all="s" in flags, ignore_case="i" in flags)
    except RegexError as error:
        raise unsupported(error) from error
    group = pattern.groupindex.get("value", 1 if pattern.groups else 0)

    def matches(text: str) -> _Match | None:
        try:
            found = pattern.search(text, budget)
        except RegexError as error:
            raise unsupported(error) from error
        return None if found is None else _Match(found[group] or "")

    return matches


def choose(variable: Mapping[str, Any], values: Sequence[str]) -> Chosen:
    """The values that a dashboard opens with: all, where it offers that; the saved one; else the first."""
    multi = bool(variable.get("multi") or variable.get("includeAll"))
    if variable.get("includeAll"):
        return Chosen(tuple(values), True, text_of(variable.get("allValue")))
    known = set(values)
    saved = [value for value in current_values(variable) if value in known]
    return Chosen(tuple(saved or values[:1]), multi)


def current_values(variable: Mapping[str, Any]) -> list[str]:
    """The values saved with the dashboard."""
    value = mapping(variable.get("current")).get("value", "")
    values = [str(item) for item in (value if isinstance(value, list) else [value])]
    return [item for item in values if item not in {"", ALL}]


def fixed_values(variable: Mapping[str, Any]) -> list[str]:
    """The values of a variable that needs no data source."""
    query = str(variable.get("query") or "")
    if variable.get("type") in ("custom", "interval"):
        # A custom value may be written as "text : value".
        options = [option.rpartition(" : ")[2].strip() for option in re.split(r"(?<!\\),", query)]
        return [option.replace("\\,", ",") for option in options if option and option != "auto"]
    return current_values(variable) or [query]


def choose_datasource(variable: Mapping[str, Any], sources: Sequence[DataSource]) -> Chosen:
    """A data source variable: the saved one where it exists, else the default, else the first of its type."""
    matching = [source for source in sources if source.type == variable.get("query")]
    if regex := text_of(variable.get("regex")):
        matching = [source for source in matching if pick([source.name], regex)]
    saved = set(current_values(variable))
    preferred = sorted(matching, key=lambda source: (not {source.uid, source.name} & saved, not source.is_default))
    return Chosen(tuple(source.uid for source in preferred[:1]))
