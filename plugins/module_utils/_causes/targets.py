# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something is not scraped: from the monitor to the pod, or from the target's error to what causes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._findings import did_you_mean
from .chain import Chain, Step, broken, is_broken, listed
from .objects import (
    Object,
    Objects,
    full_name,
    labels_of,
    mismatch,
    name_of,
    selects,
    space_of,
    spec_of,
)
from .operator import loading_chain
from .pods import no_pods, pods_chain
from .services import behind

KINDS = {"serviceMonitor": "servicemonitors", "podMonitor": "podmonitors"}
ENDPOINTS = {"servicemonitors": "endpoints", "podmonitors": "podMetricsEndpoints"}
POOL = re.compile(r"(serviceMonitor|podMonitor)/([^/]+)/([^/]+)/(\d+)")


def find_monitor(pool: str, objects: Objects) -> tuple[Object, str, int] | None:
    """The monitor of a scrape pool, the plural of its kind, and the number of its endpoint."""
    match = POOL.fullmatch(pool)
    if match is None:
        return None
    plural = KINDS[match[1]]
    found = objects.find(plural, match[2], match[3])
    return (found, plural, int(match[4])) if found else None


def endpoint_of(monitor: Object, plural: str, number: int) -> Mapping[str, Any]:
    endpoints = spec_of(monitor).get(ENDPOINTS[plural]) or [{}]
    return endpoints[number] if number < len(endpoints) else {}


def named(monitor: Object, plural: str) -> str:
    return f"{'ServiceMonitor' if plural == 'servicemonitors' else 'PodMonitor'} {full_name(monitor)}"


def idle_chain(pool: str, pools: Mapping[str, int], objects: Objects, home: str) -> Chain:
    """Why a scrape pool has no target: from the Prometheus object by monitor and service to the pod.

    `pools` are the scrape pools that Prometheus has, each with how many targets relabelling drops, those that the
    monitor's selector leaves out among them; empty where that is not known.
    """
    found = find_monitor(pool, objects)
    if found is None:
        return []
    monitor, plural, number = found
    name = named(monitor, plural)
    chain: list[Step] = [*chosen_chain(monitor, plural, objects, home)]
    if is_broken(chain):
        return chain
    selection = selected_chain(monitor, plural, number, objects)
    if is_broken(selection):
        return [*chain, *selection]
    chain += selection
    rules = [rule for rule in endpoint_of(monitor, plural, number).get("relabelings") or [] if _drops(rule)]
    if pools.get(pool) and rules:
        told = listed([f"{rule['action']} {rule.get('regex', '')}".strip() for rule in rules])
        return [*chain, broken(f"relabelings of {name} drop its targets: {told}", "Correct the monitor's relabelings")]
    return [*chain, *loading_chain(name, monitor, objects, home, loaded=not pools or pool in pools)]


def _drops(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("action", "")).lower() in {"drop", "keep", "dropequal", "keepequal"}


def chosen_chain(monitor: Object, plural: str, objects: Objects, home: str) -> Chain:
    """Whether a Prometheus of the namespace selects the monitor, by its labels and its namespace."""
    kind = "serviceMonitor" if plural == "servicemonitors" else "podMonitor"
    return picked_chain(named(monitor, plural), monitor, kind, objects, home)


def picked_chain(name: str, item: Object, kind: str, objects: Objects, home: str) -> Chain:
    """Whether a Prometheus selects an object by its `{kind}Selector` and `{kind}NamespaceSelector`."""
    if not objects.knows("prometheuses"):
        return []
    owners = objects.of("prometheuses", home)
    if not owners:
        return [broken(f"no Prometheus object exists in namespace {home}", "Deploy it: site.yml")]
    reasons = [_refusal(item, owner, kind, objects) for owner in owners]
    if all(reasons):
        hint = "Correct the labels of the object, or the selector of the Prometheus object"
        return [broken(f"{name} is not selected by Prometheus {full_name(owners[0])}: {reasons[0]}", hint)]
    return [Step(f"{name} is selected by Prometheus {full_name(owners[reasons.index('')])}")]


def _refusal(item: Object, owner: Object, kind: str, objects: Objects) -> str:
    spec, field = spec_of(owner), f"{kind}Selector"
    selector, spaces = spec.get(field), spec.get(f"{kind}NamespaceSelector")
    if selector is None:
        return f"it has no {field}, which selects nothing"
    if not selects(selector, labels_of(item)):
        return f"its {field} takes nothing with these labels: {mismatch(selector, {'it': labels_of(item)})}"
    if spaces is None:
        return "" if space_of(item) == space_of(owner) else f"it looks in namespace {space_of(owner)} only"
    namespace = objects.find("namespaces", "", space_of(item))
    if namespace is not None and not selects(spaces, labels_of(namespace)):
        return f"its {kind}NamespaceSelector leaves namespace {space_of(item)} out"
    return ""


def selected_chain(monitor: Object, plural: str, number: int, objects: Objects) -> Chain:
    """From a monitor's selector to the pods behind it."""
    selector, name = spec_of(monitor).get("selector") or {}, named(monitor, plural)
    spaces = spaces_of(monitor)
    wanted, what = ("services", "Service") if plural == "servicemonitors" else ("pods", "pod")
    if not objects.knows(wanted):
        return []
    there = [item for item in objects.of(wanted) if spaces is None or space_of(item) in spaces]
    chosen = [item for item in there if selects(selector, labels_of(item))]
    if not chosen:
        if plural == "podmonitors" and spaces is not None and (labels := selector.get("matchLabels")):
            return no_pods(sorted(spaces)[0], labels, objects)
        where = "in any namespace" if spaces is None else f"in namespace {', '.join(sorted(spaces))}"
        why = mismatch(selector, {f"{what} {full_name(item)}": labels_of(item) for item in there})
        elsewhere = [item for item in objects.of(wanted) if selects(selector, labels_of(item))] if spaces else []
        if elsewhere:
            why = f"{what} {full_name(elsewhere[0])} has its labels, in another namespace"
        hint = f"Correct the monitor's selector, or the labels of the {what.lower()}"
        return [broken(f"{name} selects no {what.lower()} {where}: {why}", hint)]
    chain: list[Step] = [Step(f"{name} selects {listed([f'{what} {full_name(item)}' for item in chosen])}")]
    endpoint = endpoint_of(monitor, plural, number)
    if plural == "podmonitors":
        return [*chain, *_pod_port(name, endpoint, chosen, objects)]
    return [*chain, *_service_port(name, endpoint, chosen, objects)]


def spaces_of(monitor: Object) -> set[str] | None:
    """The namespaces that a monitor looks in, None for all."""
    selector = spec_of(monitor).get("namespaceSelector") or {}
    if selector.get("any"):
        return None
    return set(selector.get("matchNames") or [space_of(monitor)])


def _service_port(
    name: str, endpoint: Mapping[str, Any], services: Sequence[Object], objects: Objects
) -> Iterator[Step]:
    port = endpoint.get("port")
    if port:
        have = {str(entry.get("name")) for item in services for entry in spec_of(item).get("ports") or []}
        if port not in have:
            near = did_you_mean(str(port), have)
            text = f"{name} asks for port {port}, which no selected service has: they have {', '.join(sorted(have))}"
            yield broken(text, f"Correct the port's name in the monitor or in the service{near and f': {near}'}")
            return
    chains = [behind(item, port or _first_port(item), objects) for item in services]
    fit = [chain for item, chain in zip(services, chains, strict=True) if not port or _has_port(item, port)]
    yield from next((chain for chain in fit if not is_broken(chain)), fit[0] if fit else ())


def _has_port(service: Object, port: str) -> bool:
    return any(entry.get("name") == port for entry in spec_of(service).get("ports") or [])


def _first_port(service: Object) -> int:
    ports = spec_of(service).get("ports") or [{"port": 0}]
    return int(ports[0]["port"])


def _pod_port(name: str, endpoint: Mapping[str, Any], pods: Sequence[Object], objects: Objects) -> Iterator[Step]:
    port = endpoint.get("port")
    have = {
        str(entry["name"])
        for pod in pods
        for container in spec_of(pod).get("containers") or []
        for entry in container.get("ports") or []
        if entry.get("name")
    }
    if port and port not in have:
        text = f"{name} asks for port {port}, which no selected pod has: they have {', '.join(sorted(have)) or 'none'}"
        yield broken(text, "Correct the port's name in the monitor or in the pod")
        return
    yield from pods_chain(space_of(pods[0]), labels_of(pods[0]), objects)


def job_chain(job: str, pools: Mapping[str, int], objects: Objects, home: str) -> Chain:
    """Why no target has a job: the service of that name, the monitor that selects it, and what is behind them."""
    if not objects.knows("services"):
        return []
    services = [item for item in objects.of("services") if name_of(item) == job]
    for item in services:  # its monitor may select others, too
        if is_broken(own := behind(item, _first_port(item), objects)):
            return own
    chains = [
        idle_chain(pool, pools, objects, home)
        for plural in ENDPOINTS
        for monitor in objects.of(plural)
        if name_of(monitor) == job or any(_selects(monitor, plural, item) for item in services)
        for pool in pools_of(monitor, plural)
    ]
    if chains:
        return next((chain for chain in chains if is_broken(chain)), chains[0])
    if services:
        sets = {full_name(item): labels_of(item) for item in services}
        monitors = [
            item for item in objects.of("servicemonitors") if space_of(services[0]) in (spaces_of(item) or sets)
        ]
        near = "; ".join(mismatch(spec_of(item).get("selector"), sets) for item in monitors[:1])
        hint = "Give the service the labels that a monitor selects, or make a ServiceMonitor for it"
        return [broken(f"no ServiceMonitor selects Service {full_name(services[0])}{near and f': {near}'}", hint)]
    near = did_you_mean(job, map(name_of, objects.of("services")))
    return [broken(f"no Service and no monitor is called {job}", near or "Deploy it, or correct the job's name")]


def _selects(monitor: Object, plural: str, service: Object) -> bool:
    spaces = spaces_of(monitor)
    return (
        plural == "servicemonitors"
        and (spaces is None or space_of(service) in spaces)
        and selects(spec_of(monitor).get("selector"), labels_of(service))
    )


def pools_of(monitor: Object, plural: str) -> list[str]:
    """The scrape pools that the operator makes of a monitor, one for each endpoint."""
    kind = next(kind for kind, name in KINDS.items() if name == plural)
    endpoints = spec_of(monitor).get(ENDPOINTS[plural]) or [{}]
    return [f"{kind}/{space_of(monitor)}/{name_of(monitor)}/{number}" for number in range(len(endpoints))]
