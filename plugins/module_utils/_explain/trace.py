# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace by its id, or the traces of a service."""

from __future__ import annotations

import json
import re

from .._causes.chain import Chain, Step, broken, is_broken, listed
from .._causes.metrics import Known
from .._causes.services import service_chain
from .._causes.traceql import receiving_walk, trace_walk
from .._causes.walk import Question
from .._http import HttpError
from .._kube import KubeError
from .._tempo import Tempo
from .ask import Stack, ask, follow, reached

ID = re.compile(r"[0-9a-fA-F]{16,32}")


def traced_chain(wanted: str, stack: Stack, known: Known) -> Chain:
    """`wanted` is an id in hexadecimal digits, or the name of a service."""
    if isinstance(stack.tempo, KubeError):
        return [
            broken(f"Tempo cannot be asked: {stack.tempo.message}", stack.tempo.hint),
            *service_chain(*known.tempo, stack.objects()),
        ]
    if not ID.fullmatch(wanted):
        query = f"{{ resource.service.name = {json.dumps(wanted)} }}"
        return follow(trace_walk(query, known.tempo), stack)
    identity = wanted.lower().zfill(32)
    lines = Question(
        "lines", f'sum by (service_name) (count_over_time({{service_name=~".+"}} | trace_id="{identity}" [24h]))'
    )
    logged = sorted(sample.labels.get("service_name", "") for sample in ask([lines], stack).samples(lines))
    told = f"the logs of {listed(logged)} hold its id" if logged else "no log holds its id"
    try:
        spans = Tempo(reached(stack.tempo)).spans(identity)
    except HttpError as error:
        if error.status != 404:
            return [broken(f"Tempo cannot be asked: {error}", "Look at Tempo's log")]
        return [*_missing(identity, logged, stack, known)]
    have = ", ".join(f"{service} ({count})" for service, count in sorted(spans.items()))
    silent = sorted(set(spans) - set(logged))
    chain = [Step(f"Tempo has the trace, with spans of {have}"), Step(told)]
    if logged and silent:
        chain.append(
            broken(f"the logs of {listed(silent)} do not hold the trace's id", "Write trace_id into its log lines")
        )
    return chain


def _missing(identity: str, logged: list[str], stack: Stack, known: Known) -> Chain:
    if not logged:
        return [
            broken(
                f"neither Tempo nor a log of the last 24 hours knows trace {identity}",
                "Check the id; or it is older than what is kept",
            )
        ]
    chain = [Step(f"the logs of {listed(logged)} hold the id"), broken(f"Tempo does not have trace {identity}")]
    below = follow(receiving_walk(known.tempo), stack)
    if is_broken(below) and "finds none" not in below[-1].text:
        return [*chain, *below]
    text = f"{listed(logged)} logged trace {identity}, but exported no span of it: not sampled, or not delivered"
    return [*chain, broken(text, "Look at the sampler (OTEL_TRACES_SAMPLER) and at the exporter's errors in its log")]
