# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles and the proofs do with the Kubernetes API. `contracts/rbac` grants it; the preflight asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Scope = Literal["namespace", "kube-system", "kube-node-lease", "cluster"]
"""The namespace of the stack; those of the control plane and of the nodes' leases; everywhere, or what has none."""


class Permission(NamedTuple):
    """One verb on one kind of object; `resource` may have a subresource behind a slash."""

    scope: Scope
    verb: str
    group: str
    resource: str
    name: str = ""
    """The one object that is enough; "" for all."""

    def __str__(self) -> str:
        where = {"namespace": "", "cluster": " (cluster-wide)"}.get(self.scope, f" (in {self.scope})")
        return f"{self.verb} {self.resource}{f' {self.name}' if self.name else ''}{where}"


_HELM = ("get", "create", "patch", "delete")
"""Helm reads what it is about to change, applies it, and removes what a chart no longer has."""
_RBAC = "rbac.authorization.k8s.io"
_OPERATOR = "monitoring.coreos.com"

_PROOFS: dict[tuple[Scope, str, str], tuple[str, ...]] = {
    ("cluster", "", "nodes"): ("list",),
    ("cluster", "", "namespaces"): ("get", "list"),
    ("cluster", "", "pods"): ("list",),
    ("cluster", "", "pods/log"): ("get",),
    ("cluster", _OPERATOR, "servicemonitors"): ("list",),
    ("cluster", _OPERATOR, "podmonitors"): ("list",),
    # What causes are looked for in; without a right to it less can be said.
    ("cluster", _OPERATOR, "prometheusrules"): ("list",),
    ("cluster", "", "events"): ("list",),
    ("cluster", "", "services"): ("list",),
    ("cluster", "apps", "daemonsets"): ("list",),
    ("cluster", "apps", "deployments"): ("list",),
    ("cluster", "apps", "replicasets"): ("list",),
    ("cluster", "apps", "statefulsets"): ("list",),
    ("cluster", "networking.k8s.io", "networkpolicies"): ("list",),
    # Who may do what, and as whom the stack runs.
    ("cluster", _RBAC, "clusterrolebindings"): ("list",),
    ("cluster", _RBAC, "rolebindings"): ("list",),
    ("namespace", "", "serviceaccounts"): ("list",),
    ("namespace", "", "services"): ("get",),
    ("namespace", "", "pods/portforward"): ("get", "create"),  # which of them a websocket needs is the version's
    ("namespace", "discovery.k8s.io", "endpointslices"): ("list",),
    ("namespace", _OPERATOR, "prometheuses"): ("list",),
}
_CANARY: dict[tuple[Scope, str, str], tuple[str, ...]] = {
    ("namespace", "batch", "jobs"): ("create", "deletecollection"),
}
_GRAFANA_ADMIN = Permission("namespace", "get", "", "secrets", "prometheus-grafana")
_DEPLOYMENT: dict[tuple[Scope, str, str], tuple[str, ...]] = {
    ("cluster", "", "namespaces"): ("create",),
    ("cluster", "storage.k8s.io", "storageclasses"): ("list",),
    ("cluster", "apiextensions.k8s.io", "customresourcedefinitions"): ("get", "create", "patch"),
    # A role can be made by who has its rights or may escalate, and bound by who has them or may bind.
    ("cluster", _RBAC, "clusterroles"): (*_HELM, "escalate", "bind"),
    ("cluster", _RBAC, "clusterrolebindings"): _HELM,
    ("namespace", _RBAC, "roles"): (*_HELM, "escalate", "bind"),
    ("namespace", _RBAC, "rolebindings"): _HELM,
    # Helm keeps its releases in Secrets.
    ("namespace", "", "secrets"): (*_HELM, "list", "update"),
    ("namespace", "", "configmaps"): _HELM,
    ("namespace", "", "services"): _HELM,
    ("namespace", "", "serviceaccounts"): _HELM,
    ("namespace", "", "persistentvolumeclaims"): _HELM,
    ("namespace", "coordination.k8s.io", "leases"): _HELM,  # one run at a time
    ("namespace", "apps", "deployments"): _HELM,
    ("namespace", "apps", "statefulsets"): _HELM,
    ("namespace", "apps", "daemonsets"): _HELM,
    ("namespace", "policy", "poddisruptionbudgets"): _HELM,
    ("namespace", _OPERATOR, "alertmanagers"): _HELM,
    ("namespace", _OPERATOR, "prometheuses"): _HELM,
    ("namespace", _OPERATOR, "prometheusrules"): _HELM,
    ("namespace", _OPERATOR, "servicemonitors"): _HELM,
    # kube-prometheus-stack puts the services of the control plane beside what they select.
    ("kube-system", "", "services"): _HELM,
}

_PREFLIGHT: dict[tuple[Scope, str, str], tuple[str, ...]] = {
    ("cluster", "", "persistentvolumes"): ("list",),
    ("cluster", "storage.k8s.io", "csinodes"): ("list",),
    ("cluster", "storage.k8s.io", "volumeattachments"): ("list",),
    ("cluster", "admissionregistration.k8s.io", "validatingwebhookconfigurations"): ("list",),
    ("cluster", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"): ("list",),
    ("cluster", "discovery.k8s.io", "endpointslices"): ("list",),
    ("cluster", "apiextensions.k8s.io", "customresourcedefinitions"): ("list",),
    ("namespace", "", "configmaps"): ("list",),
    ("namespace", "", "persistentvolumeclaims"): ("list",),
    ("namespace", "", "resourcequotas"): ("list",),
    ("namespace", "", "limitranges"): ("list",),
    ("kube-node-lease", "coordination.k8s.io", "leases"): ("list",),
}


def _spread(table: dict[tuple[Scope, str, str], tuple[str, ...]]) -> Iterator[Permission]:
    for (scope, group, resource), verbs in table.items():
        for verb in verbs:
            yield Permission(scope, verb, group, resource)


READER = (*_spread(_PROOFS), _GRAFANA_ADMIN)
"""Enough for verify."""
CANARY = tuple(_spread(_CANARY))
"""And for its log canary. Who may start pods in a namespace may read its secrets, so no reader has this unasked."""
DEPLOYER = tuple(dict.fromkeys((*_spread(_PROOFS), *_spread(_CANARY), *_spread(_DEPLOYMENT))))
"""Enough for site.yml, proofs included."""
PREFLIGHT = tuple(_spread(_PREFLIGHT))
"""What the preflight reads beside that; what it may not read is not looked at, which is a warning."""
