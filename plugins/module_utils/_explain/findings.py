# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the findings of a proof come from; what decides is in `_causes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _kube
from .._causes.chain import Chain, is_broken
from .._causes.findings import (
    explain_logs,
    explain_panels,
    explain_ports,
    explain_rules,
    explain_targets,
    explain_traces,
)
from .._causes.merge import Explained
from .._causes.metrics import Known, metric_walk
from .._causes.objects import Labels, Object, Objects, labels_of, selects, space_of
from .._causes.operator import operator_pods
from .._causes.pods import template_labels
from .._causes.promql import expression_walk, is_promql
from .._causes.services import service_chain
from .._causes.sources import source_trouble
from .._causes.targets import job_chain, spaces_of
from .._causes.walk import Question
from .._contract.model import Contract
from .._findings import Finding
from .._grafana.client import Grafana
from .._http import Api, Deadline, HttpError
from .._kube import KubeError
from .._prometheus import Target
from .ask import Stack, follow
from .cluster import NAMESPACED, read_objects, with_logs
from .panel import plain

if TYPE_CHECKING:  # whoever is given a URL does not import the Kubernetes client
    from .._kube import Cluster

NOT_ASKED = KubeError("this service is not asked")
MONITORS = ("servicemonitors", "podmonitors")
BEHIND_A_SERVICE = ("services", "pods", "events", "deployments", "statefulsets", "replicasets", "nodes")


def unreachable_services(
    params: Mapping[str, Any], findings: Sequence[Finding], deadline: Deadline
) -> Iterator[Explained]:
    """What is wrong behind the services that a module could not ask; `params` are the module's."""
    services = [
        option for option in params.values() if isinstance(option, Mapping) and option.keys() >= {"url", "service"}
    ]
    services = [option for option in services if not option["url"]]
    objects = Objects()
    if services:
        cluster = _kube.Cluster(_kube.connect(params), deadline)
        objects = read_objects(cluster, {option["namespace"] for option in services}, BEHIND_A_SERVICE)
    chains = [service_chain(option["namespace"], option["service"], option["port"], objects) for option in services]
    broken = next((chain for chain in chains if is_broken(chain)), ())
    for finding in findings:
        yield Explained(finding, broken if finding.id == "verify/unreachable" else ())


def targets(
    cluster: Cluster, home: str, findings: Sequence[Finding], found: Sequence[Target], pools: Mapping[str, int]
) -> Iterable[Explained]:
    """`found` are the targets of the Prometheus in namespace `home`."""
    monitors = read_objects(cluster, (), MONITORS)
    return explain_targets(findings, found, pools, _around(cluster, home, monitors, found), home)


def _around(cluster: Cluster, home: str, monitors: Objects, found: Sequence[Target]) -> Objects:
    """All that stands around the monitors; of the namespaces that any of them looks in."""
    looked_in = [spaces_of(item) for kind in MONITORS for item in monitors.of(kind)]
    spaces: set[str] = {home}
    for names in looked_in:
        spaces |= names or set()
    spaces |= {target.labels.get("namespace", home) for target in found if target.health != "up"}
    everywhere = any(names is None for names in looked_in)
    kinds = [*(set(NAMESPACED) - set(MONITORS)), "namespaces", "nodes"]
    objects = read_objects(cluster, () if everywhere else spaces, kinds)
    return with_logs(cluster, objects, operator_pods(objects)).joined(monitors)


def rules(cluster: Cluster, home: str, findings: Sequence[Finding], names: Mapping[str, str]) -> Iterable[Explained]:
    """`names` are those of the PrometheusRule of each file of rules."""
    kinds = ("prometheusrules", "prometheuses", "namespaces", *BEHIND_A_SERVICE)
    objects = read_objects(cluster, {home}, kinds)
    everywhere = read_objects(cluster, (), ("prometheusrules",))
    objects = with_logs(cluster, objects, operator_pods(objects)).joined(everywhere)
    return explain_rules(findings, names, objects, home)


def logs(
    cluster: Cluster, collector: Labels, loki: Mapping[str, Any], findings: Sequence[Finding]
) -> Iterable[Explained]:
    """`loki` is the module's option; the collector may run in another namespace than Loki."""
    where = None if loki["url"] else (loki["namespace"], loki["service"], loki["port"])
    spaces = {finding.object.partition("/")[0] for finding in findings if finding.object.count("/") == 2}
    daemons = read_objects(cluster, (), ("daemonsets",))
    spaces |= {space_of(item) for item in daemons.of("daemonsets") if _makes(item, collector)}
    kinds = ("pods", "events", "services", "deployments", "statefulsets", "replicasets", "nodes")
    objects = read_objects(cluster, {loki["namespace"], *spaces}, kinds).joined(daemons)
    collectors = [pod for pod in objects.of("pods") if selects({"matchLabels": collector}, labels_of(pod))]
    return explain_logs(findings, collector, where, with_logs(cluster, objects, collectors))


def _makes(daemon: Object, labels: Labels) -> bool:
    return selects({"matchLabels": labels}, template_labels(daemon))


def traces(
    cluster: Cluster, tempo: Mapping[str, Any], services: Sequence[str], findings: Sequence[Finding]
) -> Iterable[Explained]:
    """`tempo` is the module's option; the services may run anywhere."""
    objects = read_objects(cluster, (), BEHIND_A_SERVICE)
    return explain_traces(findings, services, (tempo["namespace"], tempo["service"], tempo["port"]), objects)


def ports(cluster: Cluster, service: Mapping[str, Any], findings: Sequence[Finding]) -> Iterable[Explained]:
    """What stands behind the ports of one service."""
    objects = read_objects(cluster, {service["namespace"]}, BEHIND_A_SERVICE)
    return explain_ports(findings, service["namespace"], service["service"], objects)


def contract(
    cluster: Cluster, prometheus: Api, home: str, known: Contract, findings: Sequence[Finding]
) -> Iterator[Explained]:
    """Services without a target, and metrics without a series, for as long as there is time."""
    stack = Stack(prometheus, NOT_ASKED, NOT_ASKED, cluster, {})

    def chain(finding: Finding) -> Chain:
        name, _slash, metric = finding.object.partition("/")
        job = known.names.job(known.services[name].job) if name in known.services else ""
        if finding.id == "contract/no-target":
            return job_chain(job, stack.answer(Question("pools")), stack.objects(), home)
        if finding.id != "contract/missing" or not job:
            return ()
        own = known.names.metric(metric)
        return follow(metric_walk(own, [], Known(home, {own: [job]})), stack)[1:]

    return each(findings, chain)


def each(findings: Sequence[Finding], chain: Callable[[Finding], Chain]) -> Iterator[Explained]:
    """Those for which there was time, with their chains; the others as they are."""
    for finding in findings:
        try:
            found = chain(finding)
        except (HttpError, KubeError):
            found = ()
        yield Explained(finding, found)


def dashboards(cluster: Cluster, grafana: Grafana, home: str, findings: Sequence[Finding]) -> Iterator[Explained]:
    """Data sources that do not work, jobs that are gone or down, panels without data."""
    sources = grafana.datasources()
    default = next((source for source in sources if source.type == "prometheus" and source.is_default), None)
    prometheus = grafana.source_api(default.uid) if default else NOT_ASKED
    stack = Stack(prometheus, NOT_ASKED, NOT_ASKED, cluster, {})
    kinds = {source.name: source.type for source in sources}
    return each(findings, lambda finding: _of_dashboards(finding, kinds, stack, home))


def _of_dashboards(finding: Finding, kinds: Mapping[str, str], stack: Stack, home: str) -> Chain:
    if finding.id == "datasources/unhealthy" and finding.object in kinds:
        return list(source_trouble(kinds[finding.object], finding.message, stack.objects(), home))
    if finding.id in {"dashboards/job-gone", "dashboards/job-down"}:
        (of_job,) = explain_panels([finding], stack.objects(), home)
        return of_job.chain
    panels = finding.evidence.get("panels")
    if finding.id != "dashboards/no-data" or not isinstance(panels, Mapping):
        return ()
    query = plain(str(next(iter(panels.values()), "")), {})
    return follow(expression_walk(query, Known(home)), stack) if is_promql(query) else ()
