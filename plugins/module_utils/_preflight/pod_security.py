# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Pod Security Standards of the namespace would refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._causes.objects import Labels
from .._findings import Finding
from .workloads import Workload

LABEL = "pod-security.kubernetes.io/enforce"
_BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
_RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_SECCOMP = {"RuntimeDefault", "Localhost"}


def findings(workloads: Iterable[Workload], namespace: str, labels: Labels) -> list[Finding]:
    """One for each workload that the namespace's level refuses."""
    level = labels.get(LABEL, "privileged")
    if level not in {"baseline", "restricted"}:
        return []
    found = []
    for workload in workloads:
        reasons = list(refused(workload.pods[0].spec, level)) if workload.pods else []
        if reasons:
            message = (
                f"namespace {namespace} enforces pod security level {level}, which refuses it: {'; '.join(reasons)}"
            )
            hint = f"kubectl label namespace {namespace} --overwrite {LABEL}={needed(workload.pods[0].spec)}"
            found.append(Finding("cluster/pod-security", "error", message, hint, object=str(workload.owner)))
    return found


def needed(spec: Mapping[str, Any]) -> str:
    """The strictest level that takes the pod."""
    levels = ("restricted", "baseline")
    return next((level for level in levels if not any(True for _reason in refused(spec, level))), "privileged")


def refused(spec: Mapping[str, Any], level: str) -> Iterator[str]:
    """Why the level refuses the pod."""
    yield from _baseline(spec)
    if level == "restricted":
        yield from _restricted(spec)


def _containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    for part in ("initContainers", "containers"):
        for container in spec.get(part) or ():
            yield str(container["name"]), container, container.get("securityContext") or {}


def _baseline(spec: Mapping[str, Any]) -> Iterator[str]:
    shared = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    if shared:
        yield ", ".join(shared)
    paths = [volume["name"] for volume in spec.get("volumes") or () if "hostPath" in volume]
    if paths:
        yield f"hostPath volume {', '.join(paths)}"
    if (spec.get("securityContext") or {}).get("sysctls"):
        yield "sysctls"
    for name, container, context in _containers(spec):
        added = set((context.get("capabilities") or {}).get("add") or ()) - _BASELINE_CAPABILITIES
        if context.get("privileged"):
            yield f"container {name} is privileged"
        if added:
            yield f"container {name} adds {', '.join(sorted(added))}"
        if any(port.get("hostPort") for port in container.get("ports") or ()) and not spec.get("hostNetwork"):
            yield f"container {name} has a port of the node"
        if context.get("procMount", "Default") != "Default":
            yield f"container {name} has an unmasked /proc"
    contexts = [spec.get("securityContext") or {}, *(context for _name, _container, context in _containers(spec))]
    if any((context.get("seccompProfile") or {}).get("type") == "Unconfined" for context in contexts):
        yield "seccomp is unconfined"


def _restricted(spec: Mapping[str, Any]) -> Iterator[str]:
    kinds = {kind for volume in spec.get("volumes") or () for kind in volume if kind != "name"}
    if others := sorted(kinds - _RESTRICTED_VOLUMES - {"hostPath"}):
        yield f"a volume of kind {', '.join(others)}"
    own = spec.get("securityContext") or {}
    for name, _container, context in _containers(spec):
        both = {**own, **context}
        capabilities = context.get("capabilities") or {}
        lacks = []
        if context.get("allowPrivilegeEscalation") is not False:
            lacks.append("allowPrivilegeEscalation: false")
        if not both.get("runAsNonRoot"):
            lacks.append("runAsNonRoot: true")
        if (both.get("seccompProfile") or {}).get("type") not in _SECCOMP:
            lacks.append("seccompProfile")
        if "ALL" not in (capabilities.get("drop") or ()):
            lacks.append("capabilities.drop ALL")
        if lacks:
            yield f"container {name} lacks {', '.join(lacks)}"
        if both.get("runAsUser") == 0:
            yield f"container {name} runs as root"
        if set(capabilities.get("add") or ()) & _BASELINE_CAPABILITIES - {"NET_BIND_SERVICE"}:
            yield f"container {name} adds capabilities"
