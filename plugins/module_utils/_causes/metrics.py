# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Prometheus has no series of a metric: renamed, not exposed, dropped, or its target is away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._findings import did_you_mean
from .._prometheus import LoadedRule, Target
from .._promql.nodes import Matcher
from .._promql.patterns import accepts
from .chain import Step, broken, clock, is_broken, listed
from .objects import Objects
from .rules import rule_chain
from .scrapes import target_chain
from .services import service_chain
from .targets import endpoint_of, find_monitor, job_chain, named
from .walk import Answers, Kind, Question, Walk

SUFFIXES = ("_bucket", "_count", "_sum", "_total", "_created")
LOOK_BACK = "6h"
READ: tuple[Kind, ...] = ("metric_names", "targets", "pools", "rules", "cluster")
GENERATED = "traces_"
"""Metrics that Tempo makes of spans, and writes to Prometheus itself."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the site says of itself."""

    home: str = "ias-system"
    """The namespace of the stack."""
    jobs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Metric → the jobs that the metrics contract says expose it."""
    loki: tuple[str, str, int] = ("ias-system", "loki", 3100)
    """Namespace, service and port; so the two below."""
    tempo: tuple[str, str, int] = ("ias-system", "tempo", 3200)
    alertmanager: tuple[str, str, int] = ("ias-system", "prometheus-kube-prometheus-alertmanager", 9093)


def family(metric: str) -> str:
    """The name that a metric has in the metadata: that of a histogram has no suffix."""
    return next((metric.removesuffix(suffix) for suffix in SUFFIXES[:3] if metric.endswith(suffix)), metric)


def metric_walk(metric: str, matchers: Sequence[Matcher], known: Known) -> Walk:
    """A metric without a series now."""
    last = Question("vector", f"max(max_over_time(timestamp({metric})[{LOOK_BACK}:1m]))")
    seen = Question("vector", f"group by (job) (last_over_time({metric}[{LOOK_BACK}]))")
    names, targets, pools, rules, cluster = map(Question, READ)
    exposed = [Question("metadata", name) for name in dict.fromkeys([family(metric), metric])]
    answers = yield [last, seen, names, targets, pools, rules, cluster, *exposed]
    ended = max((sample.value for sample in answers.samples(last)), default=0.0)
    told = f"; the last one was of {clock(ended)}" if ended else ""
    chain = [broken(f"Prometheus has no series of {metric} now{told}")]
    if targets in answers.errors:  # what is scraped is not known: nothing is said of it
        return chain
    own_rules = [rule for rule in answers.get(rules) or () if rule.name == metric]
    if own_rules:
        return [*chain, _recorded(own_rules[0])]
    jobs = list(known.jobs.get(metric) or known.jobs.get(family(metric)) or ())
    jobs = jobs or [sample.labels["job"] for sample in answers.samples(seen) if "job" in sample.labels]
    jobs = jobs or [matcher.value for matcher in matchers if matcher.name == "job" and matcher.operator == "="]
    declared = {labels.get("job", "") for question in exposed for labels in answers.get(question) or ()}
    steps = list(_of_targets(metric, jobs, declared, answers, known))
    if is_broken(steps):
        return [*chain, *steps]
    near = _near(metric, [name for name in answers.texts(names) if name != metric])
    if not steps and ":" in metric:  # the name of a rule, unless something exposes it
        return [*chain, *rule_chain("", metric, "", answers.objects(), known.home)]
    if not steps:
        hint = _capital(near) or "Correct the name, or deploy what exposes it"
        never = f"Prometheus has no metric {metric}, and had none within {LOOK_BACK}"
        return [chain[0]._replace(hint=hint)] if ended else [broken(never, hint)]
    question = Question("exposed", jobs[0])
    answers = yield [question]
    near = _near(metric, answers.texts(question)) or near
    own = f"{_capital(near)}; a name of your own belongs under names.metrics in the contract"
    text = f"job {listed(jobs)} is up, but does not expose {metric}{told}: it was renamed or taken out"
    return [*chain, *steps, broken(text, own if near else "Check the service's version")]


def _of_targets(metric: str, jobs: Sequence[str], declared: set[str], answers: Answers, known: Known) -> Iterator[Step]:
    """What is wrong with the targets that should expose a metric; nothing where no target is known to."""
    found: Sequence[Target] = answers.get(Question("targets")) or ()
    theirs = [target for target in found if target.job in jobs]
    objects = answers.objects()
    declaring = sorted(declared & set(jobs) if jobs else declared)
    down = next((target for target in theirs if target.health != "up"), None)
    rule = next(filter(None, (dropping_rule(metric, target.pool, objects) for target in theirs)), "")
    if down is not None:
        yield from target_chain(down, objects, known.home)
    elif jobs and not theirs:
        yield broken(f"nothing is scraped as job {listed(jobs)}", "Check its ServiceMonitor")
        yield from job_chain(jobs[0], answers.get(Question("pools")) or {}, objects, known.home)
    elif rule:
        yield broken(rule, "Correct the rule")
    elif declaring:
        text = f"job {listed(declaring)} declares {metric}, but no series of it is there"
        yield broken(
            f"{text}: nothing was counted yet, or relabelling drops it",
            "Make it happen once; or look at the relabelling",
        )
    elif metric.startswith(GENERATED):
        yield from (step for step in service_chain(*known.tempo, objects) if step.state == "broken")
    elif theirs:
        yield Step(f"{len(theirs)} targets of job {listed(jobs)} are up")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _near(name: str, known: Sequence[str]) -> str:
    """Of many names: those that begin alike first, then the rest of the same length."""
    prefix = re.split(r"[_:]", name)[0]
    near = sorted(known, key=lambda other: (not other.startswith(prefix), abs(len(other) - len(name))))
    return did_you_mean(name, near, 0.75)


def _recorded(rule: LoadedRule) -> Step:
    """A metric that a rule records."""
    if rule.error:
        return broken(f"recording rule {rule.name} cannot be evaluated: {rule.error}", "Correct its expression")
    return broken(f"recording rule {rule.name} gives nothing: {rule.expr}", "Explain its expression in the same way")


def dropping_rule(metric: str, pool: str, objects: Objects) -> str:
    """The monitor and its rule that drops a metric by its name; empty where there is none."""
    found = find_monitor(pool, objects)
    if found is None:
        return ""
    monitor, plural, number = found
    for rule in endpoint_of(monitor, plural, number).get("metricRelabelings") or []:
        if drops(rule, metric):
            how = f"{rule.get('action')} {rule.get('regex', '')}".strip()
            return f"metricRelabelings of {named(monitor, plural)} drop {metric}: {how}"
    return ""


def drops(rule: Mapping[str, Any], metric: str) -> bool:
    """Whether a relabelling rule drops a metric by its name."""
    action = str(rule.get("action", "replace")).lower()
    if action not in {"drop", "keep"} or list(rule.get("sourceLabels") or []) != ["__name__"]:
        return False
    fits = bool(accepts(str(rule.get("regex", "(.*)")), metric))
    return fits == (action == "drop")
