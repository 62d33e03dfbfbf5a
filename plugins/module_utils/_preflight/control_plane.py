# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose control plane it is, and what of the stack's settings does not go with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .._causes.objects import Object, labels_of, name_of, space_of, spec_of
from .._findings import Finding

_BY_VERSION = {"-eks-": "EKS", "-gke.": "GKE", "+lke": "LKE Enterprise", "+k3s": "k3s", "+rke2": "RKE2"}
_BY_LABEL = {
    "eks.amazonaws.com/": "EKS",
    "cloud.google.com/gke-": "GKE",
    "kubernetes.azure.com/": "AKS",
    "lke.linode.com/": "LKE",
}
_BY_PROVIDER = {"kind://": "kind", "k3s://": "k3s", "linode://": "LKE", "azure://": "AKS"}
MANAGED = {"LKE", "LKE Enterprise", "EKS", "GKE", "AKS"}
"""Whose control plane runs where no pod of the cluster reaches it."""
_HIDDEN = {
    "kube-controller-manager": "kubeControllerManager",
    "kube-scheduler": "kubeScheduler",
    "kube-etcd": "kubeEtcd",
    "kube-proxy": "kubeProxy",
}
"""The ends of names of services that kube-prometheus-stack makes, and the value that switches each off."""
_COREDNS = "-coredns"


def platform(version: Object, nodes: Iterable[Object]) -> str:
    """LKE, LKE Enterprise, EKS, GKE, AKS, kind, k3s, RKE2; empty where it is none of them."""
    git = str(version.get("gitVersion", ""))
    by_version = next((name for mark, name in _BY_VERSION.items() if mark in git), "")
    node = next(iter(nodes), {})
    provider = str(spec_of(node).get("providerID", ""))
    labels = labels_of(node)
    by_label = (name for mark, name in _BY_LABEL.items() if any(label.startswith(mark) for label in labels))
    by_provider = (name for mark, name in _BY_PROVIDER.items() if provider.startswith(mark))
    return by_version or next(by_label, "") or next(by_provider, "")


def services_elsewhere(objects: Iterable[Object], namespace: str) -> list[Object]:
    """Those that select pods in a namespace that is not the stack's."""
    return [
        item
        for item in objects
        if item.get("kind") == "Service" and space_of(item) not in {"", namespace} and spec_of(item).get("selector")
    ]


def findings(services: Sequence[Object], selected: Collection[int], where: str) -> list[Finding]:
    """`selected`: the positions of the services that select a pod. One that selects none is never scraped."""
    found = []
    for number, service in enumerate(services):
        name = name_of(service)
        switch = next((value for end, value in _HIDDEN.items() if name.endswith(end)), "")
        if number in selected and not (switch and where in MANAGED):
            continue
        wanted = ", ".join(f"{key}={value}" for key, value in spec_of(service)["selector"].items())
        reason = f"no pod of {space_of(service)} has the labels {wanted}"
        if switch and where in MANAGED:
            reason = f"{where} runs it where nothing in the cluster can reach it"
        hint = "Set its selector in the values, or switch its monitor off"
        if switch:
            hint = f"Set prometheus_values: {{{switch}: {{enabled: false}}}}"
        elif name.endswith(_COREDNS):
            hint = "Set prometheus_values: {coreDns: {service: {selector: {k8s-app: coredns}}}}, as on LKE Enterprise"
        message = f"{reason}: its target will be missing, and the alerts about it fire for ever"
        found.append(
            Finding("cluster/control-plane", "warning", message, hint, object=f"Service {space_of(service)}/{name}")
        )
    return found
