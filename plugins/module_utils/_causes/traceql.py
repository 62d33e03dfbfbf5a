# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a TraceQL query finds nothing: its conditions one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .._findings import did_you_mean
from .._traceql import TraceQLError, parse
from .chain import Step, broken, is_broken, listed
from .services import service_chain
from .walk import Answers, Question, Walk

CONDITION = re.compile(r"^\s*([\w.:\"-]+)\s*(=~|!~|!=|>=|<=|=|>|<)\s*(.+?)\s*$", re.DOTALL)
SHOWN_VALUES = 5
INTRINSIC = {"status", "kind", "duration", "traceDuration", "rootName", "rootServiceName", "nestedSetParent"}


def trace_walk(text: str, tempo: tuple[str, str, int]) -> Walk:
    """From a query to the condition that nothing meets, or to Tempo that receives nothing."""
    try:
        parse(text)
    except TraceQLError as error:
        return [broken(f"the query is not TraceQL: {error}", "Correct the query")]
    conditions = list(_conditions(text))
    whole, everything = Question("spans", text), Question("spans", "{ }")
    each = {condition: Question("spans", f"{{ {condition} }}") for condition in conditions}
    answers = yield list(dict.fromkeys([whole, everything, *each.values()]))
    if answers.samples(whole):
        return [Step("Tempo has such traces of the last minutes")]
    if refusal := answers.errors.get(everything):
        return [broken(f"Tempo cannot be asked: {refusal}", "Look at Tempo and its data source")]
    if not answers.samples(everything):
        return (yield from receiving_walk(tempo))
    culprits = [condition for condition, question in each.items() if not answers.samples(question)]
    if not culprits:
        told = " && ".join(conditions) or text
        return [
            Step("Tempo has traces"),
            broken(f"no span meets all of {told}; each alone is met", "Correct the query"),
        ]
    return (yield from _condition(culprits[0], answers.errors.get(each[culprits[0]], "")))


def _conditions(text: str) -> Iterator[str]:
    """The conditions of the first selection that has some, where && joins them."""
    for found in re.finditer(r"\{([^{}]*)\}", text):
        if found[1].strip() and "||" not in found[1] and "(" not in found[1]:
            yield from (part.strip() for part in found[1].split("&&"))


def _condition(condition: str, error: str) -> Walk:
    """One condition that no span meets."""
    parts = CONDITION.match(condition)
    if error or parts is None:
        return [broken(f"no span meets {condition}{error and f': {error}'}", "Correct the query")]
    name, wanted = parts[1], parts[3].strip('"`')
    question, tags = Question("tag_values", name), Question("tags")
    answers = yield [question, tags]
    have = answers.texts(question)
    if not have and name not in INTRINSIC:
        near = did_you_mean(name, answers.texts(tags))
        text = f"no span meets {condition}: no span has the attribute {name}"
        return [broken(text, near[:1].upper() + near[1:] if near else "Correct the name, or what the service exports")]
    near = did_you_mean(wanted, have)
    values = f": {name} is {listed(sorted(have), SHOWN_VALUES)}" if have else ""
    hint = near[:1].upper() + near[1:] if near else "Correct the value, or make requests that have it"
    return [broken(f"no span meets {condition}{values}", hint)]


def receiving_walk(tempo: tuple[str, str, int]) -> Walk:
    """Tempo has no trace at all: its pods, its ports, what it refuses."""
    refused = Question("vector", "sum by (reason) (increase(tempo_discarded_spans_total[15m])) > 0")
    received = Question("vector", "sum(increase(tempo_distributor_spans_received_total[15m]))")
    answers = yield [Question("cluster"), refused, received]
    chain: list[Step] = []
    for port in (tempo[2], 4317, 4318):
        behind = service_chain(tempo[0], tempo[1], port, answers.objects())
        if is_broken(behind):
            return [*chain, *behind]
    chain.append(Step(f"Service {tempo[0]}/{tempo[1]} leads to ready pods"))
    return [*chain, *_received(answers, refused, received)]


def _received(answers: Answers, refused: Question, received: Question) -> Iterator[Step]:
    discarded = [sample.labels.get("reason", "") for sample in answers.samples(refused)]
    if discarded:
        yield broken(f"Tempo discards spans: {listed(discarded)}", "Raise the limit under overrides in Tempo's values")
        return
    if received in answers.errors:
        return
    count = sum(sample.value for sample in answers.samples(received))
    if answers.samples(received) and count < 1:
        yield broken("Tempo receives no spans", "Look at OTEL_EXPORTER_OTLP_ENDPOINT and at sampling of the services")
    else:
        yield broken(f"Tempo received {count:.0f} spans in 15 minutes, and finds none of them", "Look at its log")
