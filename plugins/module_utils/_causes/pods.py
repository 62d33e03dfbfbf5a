# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod is not ready, and why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .chain import Chain, Step, broken, listed
from .objects import (
    Labels,
    Object,
    Objects,
    containers,
    full_name,
    labels_of,
    metadata,
    mismatch,
    name_of,
    one_line,
    selects,
    space_of,
    spec_of,
    status_of,
    warnings,
)

WORKLOADS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}


def condition(item: Object, kind: str) -> Mapping[str, Any]:
    return next((entry for entry in status_of(item).get("conditions") or [] if entry.get("type") == kind), {})


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True" and not metadata(pod).get("deletionTimestamp")


def pod_chain(pod: Object, objects: Objects) -> Chain:
    """How a pod is; the last link says why it is not ready."""
    name, node = f"pod {full_name(pod)}", str(spec_of(pod).get("nodeName") or "")
    if is_ready(pod):
        return [Step(f"{name} is ready on node {node}" if node else f"{name} is ready")]
    hint = f"kubectl describe pod -n {space_of(pod)} {name_of(pod)}"
    chain = [broken(f"{name} is not ready", hint)]
    down = _node_trouble(node, objects)
    if down:
        return [*chain, broken(f"{name}: {down}", f"kubectl describe node {node}")]
    reason = _reason(pod, objects)
    if reason:
        chain.append(broken(f"{name} {reason}", _hint(pod, reason) or hint))
    return chain


def _node_trouble(node: str, objects: Objects) -> str:
    found = objects.find("nodes", "", node) if node else None
    ready = condition(found, "Ready") if found else {}
    if not ready or ready.get("status") == "True":
        return ""
    return f"its node {node} is not ready: {one_line(str(ready.get('message') or ready.get('reason') or ''))}"


def _reason(pod: Object, objects: Objects) -> str:
    """What keeps the pod from being ready, in words that follow its name."""
    status = status_of(pod)
    events = warnings(objects, "Pod", space_of(pod), name_of(pod))
    if metadata(pod).get("deletionTimestamp"):
        return f"is being deleted since {metadata(pod)['deletionTimestamp']}"
    if status.get("phase") == "Failed":
        text = one_line(f"{status.get('reason') or 'Failed'}: {status.get('message') or ''}").rstrip(": ")
        return f"has failed: {text}"
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        message = scheduled.get("message") or (events[0] if events else scheduled.get("reason"))
        return f"is not scheduled: {one_line(str(message))}"
    for state, is_init in containers(pod):
        if text := _container_trouble(state, is_init):
            # of what is being created the state does not say what it waits for
            return f"{text} ({events[0]})" if events and text.endswith("is being created") else text
    if events:
        return f"is not ready: {events[0]}"
    unready = [state["name"] for state, is_init in containers(pod) if not is_init and not state.get("ready")]
    return f"runs, but container {listed(unready)} is not ready" if unready else ""


def _container_trouble(state: Mapping[str, Any], is_init: bool) -> str:
    kind = "init container" if is_init else "container"
    waiting = (state.get("state") or {}).get("waiting") or {}
    ended = (state.get("state") or {}).get("terminated") or (state.get("lastState") or {}).get("terminated") or {}
    reason = waiting.get("reason", "")
    if reason == "CrashLoopBackOff" or (ended and not is_init and not state.get("ready")):
        return f"crashes: {kind} {state['name']} {_exit(ended)}, {state.get('restartCount', 0)} restarts"
    if is_init and ended.get("exitCode"):
        return f"cannot start: {kind} {state['name']} {_exit(ended)}"
    if reason in {"ContainerCreating", "PodInitializing", ""}:
        return "" if reason != "ContainerCreating" else f"cannot start: {kind} {state['name']} is being created"
    message = one_line(f"{reason}: {waiting.get('message') or ''}").rstrip(": ")
    return f"cannot start: {kind} {state['name']}: {message}"


def _exit(ended: Mapping[str, Any]) -> str:
    if ended.get("reason") == "OOMKilled":
        return "was killed for want of memory (OOMKilled)"
    message = one_line(str(ended.get("message") or ""))
    return f"ended with exit code {ended.get('exitCode', '?')}{message and f' ({message})'}"


def _hint(pod: Object, reason: str) -> str:
    where = f"-n {space_of(pod)} {name_of(pod)}"
    if "OOMKilled" in reason:
        return "Raise the container's memory limit, or find what takes the memory"
    if reason.startswith("crashes"):
        return f"kubectl logs --previous {where}"
    if reason.startswith("is not scheduled"):
        return (
            "Free or add the resources that it asks for, or correct its nodeSelector, affinity, tolerations or volume"
        )
    return ""


def pods_chain(namespace: str, selector: Labels, objects: Objects) -> Chain:
    """The pods that a service's selector takes: there, and one of them ready."""
    if not objects.knows("pods"):
        return []
    wanted = {"matchLabels": selector}
    chosen = [pod for pod in objects.of("pods", namespace) if selects(wanted, labels_of(pod)) and not _is_done(pod)]
    if not chosen:
        return no_pods(namespace, selector, objects)
    ready = [pod for pod in chosen if is_ready(pod)]
    if ready:
        return [
            Step(f"{listed([f'pod {full_name(pod)}' for pod in ready])} {'is' if len(ready) == 1 else 'are'} ready")
        ]
    newest = max(chosen, key=lambda pod: str(metadata(pod).get("creationTimestamp") or ""))
    return pod_chain(newest, objects)


def _is_done(pod: Object) -> bool:
    return status_of(pod).get("phase") == "Succeeded"


def no_pods(namespace: str, selector: Labels, objects: Objects) -> Chain:
    """Why nothing runs that has these labels: what would make such pods, or which label is wrong."""
    wanted = {"matchLabels": selector}
    shown = ",".join(f"{name}={value}" for name, value in selector.items())
    chain = [broken(f"no pod in namespace {namespace} has the labels {shown}")]
    for plural, kind in WORKLOADS.items():
        for item in objects.of(plural, namespace):
            if selects(wanted, template_labels(item)):
                return [*chain, *workload_chain(item, kind, objects)]
    sets = {f"pod {full_name(pod)}": labels_of(pod) for pod in objects.of("pods", namespace)}
    why = mismatch(wanted, sets)
    return [broken(f"no pod has the labels {shown}: {why}", "Correct the selector, or the pods' labels")]


def template_labels(item: Object) -> Labels:
    """The labels of the pods that a workload makes."""
    return ((spec_of(item).get("template") or {}).get("metadata") or {}).get("labels") or {}


def workload_chain(item: Object, kind: str, objects: Objects) -> Chain:
    """Why a workload has no pods, or not all."""
    name = f"{kind} {full_name(item)}"
    status = status_of(item)
    if kind != "DaemonSet" and spec_of(item).get("replicas") == 0:
        hint = f"kubectl scale -n {space_of(item)} {kind.lower()}/{name_of(item)} --replicas=1"
        return [broken(f"{name} is scaled to 0", hint)]
    if kind == "DaemonSet" and status.get("desiredNumberScheduled") == 0:
        return [broken(f"{name} finds no node to run on", "Look at its nodeSelector, affinity and tolerations")]
    failure = condition(item, "ReplicaFailure")
    events = [text for owner in _owners(item, kind, objects) for text in warnings(objects, *owner)]
    text = one_line(str(failure.get("message") or "")) or (events[0] if events else "")
    if text:
        return [broken(f"{name} cannot make its pods: {text}", f"kubectl describe {kind.lower()} -n {space_of(item)}")]
    return [broken(f"{name} has made no pod yet", "Look at the controller manager, and at quotas of the namespace")]


def _owners(item: Object, kind: str, objects: Objects) -> list[tuple[str, str, str]]:
    """The workload, and the replica sets that make its pods, as (kind, namespace, name)."""
    own = [(kind, space_of(item), name_of(item))]
    return own + [
        ("ReplicaSet", space_of(child), name_of(child))
        for child in objects.of("replicasets", space_of(item))
        if any(owner.get("name") == name_of(item) for owner in metadata(child).get("ownerReferences") or [])
    ]
