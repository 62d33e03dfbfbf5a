# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod: whether it runs, whether its lines arrive, whether it is scraped."""

from __future__ import annotations

from collections.abc import Sequence

from .._causes.chain import Chain, Step, broken, clock, is_broken, unknown
from .._causes.logs import late_chain
from .._causes.metrics import Known
from .._causes.objects import Object, Objects, full_name, name_of, space_of, spec_of
from .._causes.pods import WORKLOADS, is_ready, pod_chain, workload_chain
from .._causes.scrapes import target_chain
from .._causes.walk import Question
from .._checks.logs import Container, LastLine, last_kept_line, newest, newest_query
from .._findings import did_you_mean
from .._http import HttpError
from .._kube import KubeError
from .._loki import Loki
from .._promql.patterns import Pattern
from .ask import Stack, ask, reached

TAIL = "1000"
WINDOW = "1h"
LOG_DELAY_SECONDS = 30.0
"""A line is read, sent in batches, and can then be found."""


def looked_at(wanted: str, stack: Stack, known: Known, ignored: Sequence[Pattern]) -> Chain:
    """`wanted` is namespace/name, a name, or the name of the workload that makes the pod."""
    objects = stack.objects()
    pod = _find(wanted, objects)
    if pod is None:
        return _absent(wanted, objects)
    chain = list(pod_chain(pod, objects))
    if is_broken(chain):
        return chain
    chain += _scraped(pod, stack, known)
    if is_broken(chain):
        return chain
    return [*chain, *_logged(pod, stack, known, ignored)]


def _find(wanted: str, objects: Objects) -> Object | None:
    """The pod of that name; of a workload the one that is not ready, if there is one."""
    space, _slash, name = wanted.rpartition("/")
    pods = [pod for pod in objects.of("pods", space) if name_of(pod) == name]
    pods = pods or [pod for pod in objects.of("pods", space) if name_of(pod).startswith(f"{name}-")]
    return next((pod for pod in pods if not is_ready(pod)), pods[0] if pods else None)


def _absent(wanted: str, objects: Objects) -> Chain:
    space, _slash, name = wanted.rpartition("/")
    if not objects.knows("pods"):
        return [broken("pods may not be read", "Grant what contracts/rbac/reader.yaml grants")]
    for plural, kind in WORKLOADS.items():
        for item in objects.of(plural, space):
            if name_of(item) == name or name.startswith(f"{name_of(item)}-"):
                return [broken(f"there is no pod {wanted}"), *workload_chain(item, kind, objects)]
    near = did_you_mean(name, map(name_of, objects.of("pods", space)))
    return [broken(f"there is no pod {wanted}, and no workload that would make it", near or "Correct the name")]


def _scraped(pod: Object, stack: Stack, known: Known) -> Chain:
    targets = Question("targets")
    answers = ask([targets], stack)
    own = [
        target
        for target in answers.get(targets) or ()
        if (target.labels.get("namespace"), target.labels.get("pod")) == (space_of(pod), name_of(pod))
    ]
    down = next((target for target in own if target.health == "down"), None)
    if down is not None:
        return target_chain(down, stack.objects(), known.home)
    return [Step(f"its {len(own)} scrape targets are up")] if own else [unknown("no monitor scrapes it")]


def _logged(pod: Object, stack: Stack, known: Known, ignored: Sequence[Pattern]) -> Chain:
    """Each container's last line in Loki."""
    own = [Container(space_of(pod), name_of(pod), str(entry["name"])) for entry in spec_of(pod).get("containers") or []]
    try:
        stored = newest(Loki(reached(stack.loki)).samples(newest_query(own, WINDOW)))
    except (HttpError, KubeError) as error:
        return [broken(f"Loki cannot be asked: {error}", "Explain it: -e pod=loki")]
    lines = {container: LastLine(_written(container, stack, ignored), stored.get(container)) for container in own}
    late = [container for container, line in lines.items() if line.is_late and _is_overdue(line, stack)]
    if not late:
        newest_line = max((line.stored or 0.0 for line in lines.values()), default=0.0)
        return [
            Step(f"its lines are in Loki, the newest of {clock(newest_line)}" if newest_line else "it writes no lines")
        ]
    chain = late_chain(pod, str(spec_of(pod).get("nodeName") or ""), stack.collector, known.loki, stack.objects())
    return [broken(f"the last lines of {full_name(pod)} ({late[0].name}) are not in Loki"), *chain]


def _is_overdue(line: LastLine, stack: Stack) -> bool:
    return Loki(reached(stack.loki)).now() - (line.written or 0.0) > LOG_DELAY_SECONDS


def _written(container: Container, stack: Stack, ignored: Sequence[Pattern]) -> float | None:
    if stack.cluster is None:
        return None
    path = f"/api/v1/namespaces/{container.namespace}/pods/{container.pod}/log"
    query = {"container": container.name, "timestamps": "true", "sinceSeconds": "3600", "tailLines": TAIL}
    try:
        return last_kept_line(stack.cluster.text(path, **query), ignored)
    except KubeError:
        return None
