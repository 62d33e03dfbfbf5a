# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the findings of a proof come from; what decides is in `_causes`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _kube
from .._causes.chain import is_broken
from .._causes.findings import explain_logs, explain_panels, explain_rules, explain_targets
from .._causes.merge import Explained
from .._causes.objects import Labels, Object, Objects, labels_of, selects, space_of
from .._causes.operator import operator_pods
from .._causes.pods import template_labels
from .._causes.services import service_chain
from .._causes.targets import spaces_of
from .._findings import Finding
from .._http import Deadline
from .._prometheus import Target
from .cluster import NAMESPACED, read_objects, with_logs

if TYPE_CHECKING:  # whoever is given a URL does not import the Kubernetes client
    from .._kube import Cluster

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


def panels(cluster: Cluster, home: str, findings: Sequence[Finding]) -> Iterable[Explained]:
    """`home` is the namespace of Grafana's Prometheus."""
    return explain_panels(findings, _around(cluster, home, read_objects(cluster, (), MONITORS), ()), home)


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
    kinds = ("prometheusrules", "prometheuses", "deployments", "replicasets", "pods", "events", "namespaces", "nodes")
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
