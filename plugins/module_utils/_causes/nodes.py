# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a DaemonSet has no ready pod on a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .chain import Chain, broken
from .objects import Labels, Object, Objects, full_name, holds, labels_of, metadata, selects, space_of, spec_of
from .pods import WORKLOADS, is_ready, pod_chain, template_labels, workload_chain

COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "Gt": lambda have, want: have > want,
    "Lt": lambda have, want: have < want,
}


def daemon_chain(labels: Labels, node: str, objects: Objects) -> Chain:
    """Why no pod with these labels is ready on the node; on no node at all where it is empty."""
    owner = next(
        (item for item in objects.of("daemonsets") if selects({"matchLabels": labels}, template_labels(item))), None
    )
    shown = ",".join(f"{name}={value}" for name, value in labels.items())
    if owner is None:
        if not objects.knows("daemonsets"):
            return []
        return [broken(f"no DaemonSet makes pods with the labels {shown}", "Deploy it: site.yml")]
    pods = [
        pod
        for pod in objects.of("pods", space_of(owner))
        if selects({"matchLabels": labels}, labels_of(pod)) and node in {"", node_of(pod)}
    ]
    unready = [pod for pod in pods if not is_ready(pod)]
    if unready:
        return pod_chain(unready[0], objects)
    if pods:
        return pod_chain(pods[0], objects)
    found = objects.find("nodes", "", node) if node else None
    reasons = list(_left_out(owner, found)) if found else []
    if reasons:
        text = f"DaemonSet {full_name(owner)} leaves node {node} out: {reasons[0]}"
        return [broken(text, "Correct its nodeSelector, affinity or tolerations, or the node's labels and taints")]
    return workload_chain(owner, WORKLOADS["daemonsets"], objects)


def node_of(pod: Object) -> str:
    """Where it runs, or where a DaemonSet's pod that is not scheduled yet is meant to run."""
    if name := spec_of(pod).get("nodeName"):
        return str(name)
    for term in node_terms(spec_of(pod)):
        for entry in term.get("matchFields") or []:
            if entry.get("key") == "metadata.name":
                return str((entry.get("values") or [""])[0])
    return ""


def node_terms(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of a pod's spec: one of them must fit its node, where there are any."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return list((affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or [])


def _left_out(owner: Object, node: Object) -> Iterator[str]:
    spec = (spec_of(owner).get("template") or {}).get("spec") or {}
    labels = labels_of(node)
    for name, value in (spec.get("nodeSelector") or {}).items():
        if labels.get(name) != value:
            yield f"its nodeSelector wants {name}={value}, the node has {labels.get(name, 'no such label')}"
    terms = node_terms(spec)
    if terms and not any(fits(term, node) for term in terms):
        yield "its node affinity does not take the node"
    for taint in spec_of(node).get("taints") or []:
        if taint.get("effect") in {"NoSchedule", "NoExecute"} and not any(
            tolerates(toleration, taint) for toleration in spec.get("tolerations") or []
        ):
            yield f"it does not tolerate the node's taint {taint.get('key')}={taint.get('value', '')}:{taint['effect']}"


def fits(term: Mapping[str, Any], node: Object) -> bool:
    """Whether a NodeSelectorTerm takes the node."""
    fields = {"metadata.name": str(metadata(node).get("name"))}
    return all(_holds(entry, labels_of(node)) for entry in term.get("matchExpressions") or []) and all(
        _holds(entry, fields) for entry in term.get("matchFields") or []
    )


def _holds(entry: Mapping[str, Any], labels: Labels) -> bool:
    values = tuple(map(str, entry.get("values") or ()))
    compare = COMPARED.get(entry["operator"])
    if compare is None:
        return holds((entry["key"], entry["operator"], values), labels)
    have = labels.get(entry["key"], "")
    return have.isdigit() and bool(values) and compare(int(have), int(values[0]))


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in {None, "", taint.get("effect")}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint.get("key")}
    return toleration.get("key") == taint.get("key") and toleration.get("value", "") == taint.get("value", "")
