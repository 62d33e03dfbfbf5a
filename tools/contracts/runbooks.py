# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks: one for each alert, short, with queries that can be run as they are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._contract.model import Contract
from ansible_collections.ias.observability.plugins.module_utils._dashboards import log_fields
from ansible_collections.ias.observability.plugins.module_utils._logql import LogQLError
from ansible_collections.ias.observability.plugins.module_utils._logql import parse as parse_logql
from ansible_collections.ias.observability.plugins.module_utils._promql import PromQLError
from ansible_collections.ias.observability.plugins.module_utils._promql import parse as parse_promql
from ansible_collections.ias.observability.plugins.module_utils._promql.nodes import VectorSelector, walk
from ansible_collections.ias.observability.plugins.module_utils._traceql import TraceQLError
from ansible_collections.ias.observability.plugins.module_utils._traceql import parse as parse_traceql

HEADINGS = ("## Meaning", "## Impact", "## First queries", "## What to do")
MOST_LINES = 40
QUERIES = 3


def check(
    folder: Path, alerts: Mapping[str, str], known: Callable[[str], bool], fields: Collection[str], root: Path
) -> Iterator[str]:
    """What is wrong with the runbooks.

    `alerts` are those that need one, and their places; `known` says whether a metric is declared or recorded;
    `fields` are those of the services' logs.
    """
    pages = {path.stem: path for path in sorted(folder.glob("*.md"))}
    name = folder.relative_to(root)
    yield from (
        f"{alerts[alert]}: {alert} has no runbook {name}/{alert}.md" for alert in sorted(set(alerts) - set(pages))
    )
    for alert, path in pages.items():
        shown = f"{name}/{path.name}"
        if alert not in alerts:
            yield f"{shown}:1: there is no alert {alert}"
        yield from (f"{shown}:{line}: {message}" for line, message in _form(alert, path.read_text().splitlines()))
        yield from (
            f"{shown}:{line}: {message}" for line, message in _queries(path.read_text().splitlines(), known, fields)
        )


def _form(alert: str, lines: list[str]) -> Iterator[tuple[int, str]]:
    if lines[:1] != [f"# {alert}"]:
        yield 1, f"the first line is not `# {alert}`"
    if len(lines) > MOST_LINES:
        yield MOST_LINES + 1, f"{len(lines)} lines: who is woken up reads at most {MOST_LINES}"
    if (found := tuple(line for line in lines if line.startswith("## "))) != HEADINGS:
        yield 1, f"the headings are {', '.join(found) or 'none'}, not {', '.join(HEADINGS)}"


def _queries(lines: list[str], known: Callable[[str], bool], fields: Collection[str]) -> Iterator[tuple[int, str]]:
    found = list(blocks(lines))
    if len(found) < QUERIES:
        yield 1, f"{len(found)} queries: the first {QUERIES} are what somebody half asleep can do"
    for line, language, query in found:
        yield from ((line, message) for message in wrong(language, query, known, fields))


def blocks(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """(line, language, text) of each block of code; the line is the text's first."""
    language, start, text = "", 0, list[str]()
    for number, line in enumerate(lines, 1):
        if line.startswith("```") and language:
            yield start, language, "\n".join(text)
            language = ""
        elif line.startswith("```"):
            language, start, text = line.removeprefix("```") or "text", number + 1, []
        elif language:
            text.append(line)


def wrong(language: str, query: str, known: Callable[[str], bool], fields: Collection[str]) -> Iterator[str]:
    try:
        if language == "promql":
            metrics = {node.metric for node in walk(parse_promql(query)) if isinstance(node, VectorSelector)}
            yield from (f"no service exposes {metric}" for metric in sorted(metrics) if metric and not known(metric))
        elif language == "logql":
            yield from (message for _name, message in log_fields.unknown(parse_logql(query), fields))
        elif language == "traceql":
            parse_traceql(query)
        else:
            yield f"{language} is none of promql, logql, traceql"
    except (PromQLError, LogQLError, TraceQLError) as error:
        yield f"no {language}: {error}"


def knows(contract: Contract, records: Collection[str]) -> Callable[[str], bool]:
    return lambda metric: metric in records or contract.knows(metric)
