# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an object that is right has not reached Prometheus: the operator, its refusal, the reload."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from .chain import Chain, Step, broken, is_broken, unknown
from .objects import Object, Objects, full_name, labels_of, metadata, name_of, one_line, space_of, spec_of, warnings
from .pods import condition, is_ready, pod_chain, workload_chain

LATE_SECONDS = 240
"""The operator acts within seconds; its reloader may miss a change and looks again after three minutes."""
IMAGE = re.compile(r"prometheus-operator(?:[:@]|$)")


def loading_chain(name: str, item: Object, objects: Objects, home: str, *, loaded: bool) -> Chain:
    """From an object that Prometheus selects to Prometheus' configuration."""
    chain = [*operator_chain(objects), *refused(name, item, objects, home)]
    if is_broken(chain):
        return chain
    if loaded:
        return [*chain, unknown(f"Prometheus knows {name}, but has no target of it yet")]
    return [*chain, *reload_chain(name, item, objects, home)]


def operator_chain(objects: Objects) -> Chain:
    """Whether Prometheus' operator runs."""
    owners = [item for item in objects.of("deployments") if _is_operator(item)]
    if not owners:
        if not objects.knows("deployments"):
            return []
        return [broken("no Deployment of Prometheus' operator is there", "Deploy it: site.yml")]
    (owner, *_others) = owners
    name = f"Prometheus' operator ({full_name(owner)})"
    if any(condition(item, "Available").get("status") == "True" and spec_of(item).get("replicas") for item in owners):
        return [Step(f"{name} runs")]
    pods = [pod for pod in objects.of("pods", space_of(owner)) if is_operators_pod(pod) and not is_ready(pod)]
    below = pod_chain(pods[0], objects) if pods else workload_chain(owner, "Deployment", objects)
    return [broken(f"{name} does not run"), *below]


def _is_operator(item: Object) -> bool:
    template = (spec_of(item).get("template") or {}).get("spec") or {}
    images = [str(container.get("image", "")) for container in template.get("containers") or []]
    return any(IMAGE.search(image) for image in images)


def operator_pods(objects: Objects) -> list[Object]:
    return [pod for pod in objects.of("pods") if is_operators_pod(pod)]


def is_operators_pod(pod: Object) -> bool:
    return any(IMAGE.search(str(container.get("image", ""))) for container in spec_of(pod).get("containers") or [])


def refused(name: str, item: Object, objects: Objects, home: str) -> Iterator[Step]:
    """What the operator says against the object: in its status, its events, or its log."""
    kind = name.partition(" ")[0]
    for binding in (item.get("status") or {}).get("bindings") or []:
        for entry in binding.get("conditions") or []:
            if entry.get("type") == "Accepted" and entry.get("status") == "False":
                message = one_line(str(entry.get("message") or entry.get("reason")))
                yield broken(f"the operator refuses {name}: {message}", "Correct the object")
                return
    events = warnings(objects, kind, space_of(item), name_of(item))
    lines = refusals(objects, name_of(item))
    for text in (*events[:1], *lines[-1:]):
        yield broken(f"the operator refuses {name}: {text}", "Correct the object")
        return
    for owner in objects.of("prometheuses", home):
        reconciled = condition(owner, "Reconciled")
        if reconciled.get("status") == "False":
            message = one_line(str(reconciled.get("message") or reconciled.get("reason")))
            text = f"the operator cannot act on Prometheus {full_name(owner)}: {message}"
            yield broken(text, "Correct what it names; until then no change reaches Prometheus")
            return


def refusals(objects: Objects, name: str) -> list[str]:
    """Lines of the operator's log that are warnings or errors about the object, the oldest first."""
    found = []
    for pod in objects.of("pods"):
        log = objects.logs.get(full_name(pod), "") if is_operators_pod(pod) else ""
        for line in log.splitlines():
            if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line) and _is_complaint(line):
                found.append(complaint(line))
    return found


def _is_complaint(line: str) -> bool:
    return bool(re.search(r"level\"?[=:]\"?(warn|error)", line, re.IGNORECASE))


def complaint(line: str) -> str:
    """The error of a line in logfmt, or its message; else the line."""
    for field in ("err", "error", "msg"):
        match = re.search(rf"(?:^|[ ,{{]\"?)\"?{field}\"?[=:] ?(?:\"((?:[^\"\\]|\\.)*)\"|(\S+))", line)
        if match:
            return one_line((match[1] or match[2] or "").replace('\\"', '"'))
    return one_line(line)


def reload_chain(name: str, item: Object, objects: Objects, home: str) -> Iterator[Step]:
    """The object is right, and Prometheus has not got it."""
    pods = [
        pod
        for pod in objects.of("pods", home)
        if labels_of(pod).get("app.kubernetes.io/name") == "prometheus" and not is_ready(pod)
    ]
    if pods:
        yield from pod_chain(pods[0], objects)
        return
    age = _age(item, objects)
    if age is not None and age < LATE_SECONDS:
        yield unknown(f"{name} was written {age:.0f} s ago: the reloader may look again after three minutes only")
        return
    yield broken(
        f"Prometheus' configuration does not have {name}, which it selects",
        "Look at the logs of the operator and of container config-reloader of Prometheus' pod",
    )


def _age(item: Object, objects: Objects) -> float | None:
    """Seconds since the last change of the object, by the newest time that anything here has."""
    times = [metadata(item).get("creationTimestamp")]
    times += [entry.get("time") for entry in metadata(item).get("managedFields") or []]
    moments = [moment for moment in map(_moment, times) if moment is not None]
    now = objects.moment
    return now - max(moments) if moments and now else None


def _moment(text: object) -> float | None:
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
