# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cause of each finding of a proof, out of what was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .._findings import Finding
from .._prometheus import Target
from .chain import Chain, is_broken
from .logs import late_chain
from .merge import Explained
from .nodes import daemon_chain, node_of
from .objects import Labels, Objects, name_of, spec_of
from .pods import pods_chain
from .rules import rule_chain
from .scrapes import down_chain
from .services import behind, service_chain
from .targets import idle_chain, job_chain

Place = tuple[str, str, int]
"""Namespace, service and port."""
OTLP_PORTS = (4317, 4318)


def explain_targets(
    findings: Sequence[Finding], targets: Sequence[Target], pools: Mapping[str, int], objects: Objects, home: str
) -> Iterator[Explained]:
    """`pools` are the scrape pools that Prometheus knows, with what relabelling drops; `home` is its namespace."""
    by_url = {target.url: target for target in targets if target.health != "up"}

    def chain(finding: Finding) -> Chain:
        if finding.id == "targets/down":
            found = by_url.get(str(finding.evidence.get("url")))
            return down_chain(found, objects, home)[1:] if found else ()
        if finding.id == "targets/missing-job":
            return job_chain(finding.object, pools, objects, home)
        if finding.id == "targets/monitor":
            return idle_chain(str(finding.evidence.get("pool")), pools, objects, home)
        return ()

    return (Explained(finding, chain(finding)) for finding in findings)


def explain_rules(
    findings: Sequence[Finding], names: Mapping[str, str], objects: Objects, home: str
) -> Iterator[Explained]:
    """`names` are those of the PrometheusRule of each file."""

    def chain(finding: Finding) -> Chain:
        if finding.id == "alerts/no-alertmanager":
            return pods_chain(home, {"app.kubernetes.io/name": "alertmanager"}, objects)
        if finding.id != "alerts/not-loaded":
            return ()
        group, _slash, rule = finding.object.partition("/")
        return rule_chain(group, rule, names.get(finding.file, ""), objects, home)

    return (Explained(finding, chain(finding)) for finding in findings)


def explain_panels(findings: Sequence[Finding], objects: Objects, home: str) -> Iterator[Explained]:
    """Panels whose job is gone or down: a job has the name of its service, in namespace `home` of Prometheus."""

    def chain(finding: Finding) -> Chain:
        if finding.id not in {"dashboards/job-gone", "dashboards/job-down"}:
            return ()
        job = finding.object.removeprefix("job ").rpartition("/")[2]
        service = objects.find("services", home, job)
        if service is None:
            return ()
        pods = pods_chain(home, spec_of(service).get("selector") or {}, objects)
        return pods if is_broken(pods) else [*pods, *job_chain(job, {}, objects, home)]

    return (Explained(finding, chain(finding)) for finding in findings)


def explain_logs(
    findings: Sequence[Finding], collector: Labels, loki: tuple[str, str, int] | None, objects: Objects
) -> Iterator[Explained]:
    """`collector` are the labels of the collector's pods, `loki` namespace, service and port of Loki, if it is one."""

    def chain(finding: Finding) -> Chain:
        where = finding.object.removeprefix("node ")
        if finding.id == "logs/no-collector":
            return daemon_chain(collector, where, objects)
        if finding.id not in {"logs/late", "logs/missing"}:
            return ()
        if finding.object.startswith("node "):
            return late_chain(None, where, collector, loki, objects)
        namespace, _slash, rest = finding.object.partition("/")
        pod = objects.find("pods", namespace, rest.partition("/")[0])
        return late_chain(pod, node_of(pod) if pod else "", collector, loki, objects)

    return (Explained(finding, chain(finding)) for finding in findings)


def explain_traces(
    findings: Sequence[Finding], services: Sequence[str], tempo: Place, objects: Objects
) -> Iterator[Explained]:
    """`services` are those that a trace should go through: the pods of one that lacks say why."""

    def chain(finding: Finding) -> Chain:
        if finding.id not in {"traces/none", "traces/incomplete"}:
            return ()
        lacking = finding.evidence.get("missing")
        suspects = [str(name) for name in lacking] if isinstance(lacking, list) else services
        chains = [service_chain(tempo[0], tempo[1], port, objects) for port in (tempo[2], *OTLP_PORTS)]
        for name in suspects:
            owner = next((item for item in objects.of("services") if name_of(item) == name), None)
            ports = spec_of(owner).get("ports") or [] if owner else []
            chains += [behind(owner, ports[0]["port"], objects)] if owner and ports else []
        return next((found for found in chains if is_broken(found)), ())

    return (Explained(finding, chain(finding)) for finding in findings)


def explain_ports(findings: Sequence[Finding], namespace: str, service: str, objects: Objects) -> Iterator[Explained]:
    """Endpoints that are named in the object of a finding, as service.namespace:port."""

    def chain(finding: Finding) -> Chain:
        port = re.search(r":(\d+)", finding.object)
        return service_chain(namespace, service, int(port[1]), objects) if port else ()

    return (Explained(finding, chain(finding)) for finding in findings)
