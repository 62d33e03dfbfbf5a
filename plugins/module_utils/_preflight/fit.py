# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the pods of the stack fit onto the nodes, and what would help where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .._findings import Finding
from .nodes import Node, refusal
from .placement import Misfit, Placement, Volume, room

_MOST_NAMED = 5
_MOST_ADDED = 20


def findings(
    misfits: Sequence[Misfit], nodes: Mapping[str, Node], volumes: Mapping[tuple[str, str], Volume]
) -> list[Finding]:
    """One for all that can go anywhere; one for each DaemonSet, whose pods have their node."""
    anywhere = [misfit for misfit in misfits if not misfit.node]
    found = [_anywhere(anywhere, nodes, volumes)] if anywhere else []
    return found + [_daemon(group) for group in _grouped(misfit for misfit in misfits if misfit.node)]


def _anywhere(
    misfits: Sequence[Misfit], nodes: Mapping[str, Node], volumes: Mapping[tuple[str, str], Volume]
) -> Finding:
    count = f"{len(misfits)} pods do not fit" if len(misfits) > 1 else "1 pod does not fit"
    told = "; ".join(_told(group) for group in _grouped(misfits))
    return Finding(
        "cluster/fit",
        "error",
        f"{count}: {told}; {_largest(misfits[0], nodes)}",
        f"{_help(misfits, nodes, volumes)}, or choose a smaller profile or smaller requests",
        evidence={
            "pods": [misfit.pod.name for misfit in misfits],
            "nodes": {misfit.pod.name: dict(misfit.reasons) for misfit in misfits},
        },
    )


def _grouped(misfits: Iterable[Misfit]) -> list[list[Misfit]]:
    """By workload and what is in the way."""
    groups: dict[object, list[Misfit]] = {}
    for misfit in misfits:
        groups.setdefault((misfit.pod.owner, tuple(misfit.reasons) if misfit.node else ()), []).append(misfit)
    return list(groups.values())


def _told(group: Sequence[Misfit]) -> str:
    first = group[0]
    names = list(dict.fromkeys(misfit.pod.name for misfit in group))
    others = f" and {len(group) - 1} more of {first.pod.owner}" if len(group) > 1 else ""
    each = "each needs" if others else "needs"
    apart = f" on a node that has no other {first.pod.owner.name}" if first.pod.apart else ""
    nodes = sum(first.reasons.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in first.reasons.items())
    why = f"of {nodes} node{'s' if nodes != 1 else ''}, {reasons}" if nodes else "there is no node"
    return f"{names[0]}{others} {each} {room(first.needs)}{apart} ({why})"


def _largest(misfit: Misfit, nodes: Mapping[str, Node]) -> str:
    """What is free on the node that comes nearest."""
    usable = [node for node in nodes.values() if not refusal(misfit.pod, node)]
    if not usable:
        return "no node takes it at all"

    def covered(node: Node) -> float:
        return min((node.free.get(name, 0) / amount for name, amount in misfit.needs.items() if amount), default=0.0)

    best = max(usable, key=covered)
    free = {name: max(best.free.get(name, 0), 0) for name in ("cpu", "memory")}
    return f"the largest free is {room(free)} on {best.name}"


def _help(misfits: Sequence[Misfit], nodes: Mapping[str, Node], volumes: Mapping[tuple[str, str], Volume]) -> str:
    """How many nodes, like the largest there is, would take them."""
    pods = [misfit.pod for misfit in misfits]
    bound = [pod.name for pod in pods if any(_is_bound(volumes, pod.namespace, claim) for claim in pod.claims)]
    if bound:
        return f"Make room on a node that reaches the volume of {', '.join(bound)}"
    usable = [node for node in nodes.values() if not any(refusal(pod, node) for pod in pods)]
    model = max(usable, key=lambda node: node.allocatable.get("memory", 0), default=None)
    if model is not None:
        added: dict[str, Node] = {}
        for number in range(1, min(len(pods), _MOST_ADDED) + 1):
            added = {f"new-{one}": model.copy(f"new-{one}") for one in range(number)}
            if not Placement(added, volumes).schedule(pods):
                size = room({name: model.allocatable.get(name, 0) for name in ("cpu", "memory")})
                return f"Add {number} node{'s' if number > 1 else ''} like {model.name} ({size})"
    largest = max(misfits, key=lambda misfit: misfit.needs.get("memory", 0))
    return f"Add a node that takes {largest.pod.name}, with at least {room(largest.needs)} free"


def _is_bound(volumes: Mapping[tuple[str, str], Volume], namespace: str, claim: str) -> bool:
    """Whether the volume of the claim is bound to some of the nodes."""
    volume = volumes.get((namespace, claim))
    return volume is not None and bool(volume.terms)


def _daemon(group: Sequence[Misfit]) -> Finding:
    first = group[0]
    (reason,) = first.reasons
    names = [misfit.node for misfit in group]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    nodes = f"node{'s' if len(names) > 1 else ''} {', '.join(names[:_MOST_NAMED])}{more}"
    reason = reason.removeprefix("with ")
    if " taken by " in reason:
        hint = "Remove the other one, or have the stack's switched off or given another port in the values"
        return Finding(
            "cluster/host-port",
            "error",
            f"{reason.replace(' taken', ' is taken')} on {nodes}",
            hint,
            object=str(first.pod.owner),
        )
    message = f"its pod, which needs {room(first.needs)}, does not fit on {nodes}: {reason}"
    hint = "Move other pods away, lower what they request, or keep the DaemonSet from these nodes"
    return Finding("cluster/fit", "error", message, hint, object=str(first.pod.owner), evidence={"nodes": names})
