# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights these credentials have.

What the rules do not show is asked one by one: not every authorizer lists all that it grants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .client import Cluster, Object
from .errors import ApiError
from .permissions import Permission

WORKERS = 8
_API = "authorization.k8s.io/v1"
_NOWHERE = "ias-observability-no-such-namespace"
"""Rules that hold there hold everywhere."""


def missing(cluster: Cluster, namespace: str, permissions: Iterable[Permission]) -> list[Permission]:
    """Those of the permissions that these credentials do not have, in their order."""
    wanted = list(permissions)
    spaces = {space: space_of(space, namespace) or _NOWHERE for space in {one.scope for one in wanted}}
    rules = {space: _rules(cluster, name) for space, name in spaces.items()}
    doubtful = [one for one in wanted if not any(covers(rule, one) for rule in rules[one.scope])]
    with ThreadPoolExecutor(WORKERS) as threads:
        allowed = list(threads.map(_asking(cluster, namespace), doubtful))
    return [one for one, may in zip(doubtful, allowed, strict=True) if not may]


def space_of(scope: str, namespace: str) -> str:
    """The namespace of a scope; empty for the whole cluster."""
    return {"cluster": "", "namespace": namespace}.get(scope, scope)


def covers(rule: Mapping[str, Any], permission: Permission) -> bool:
    """Whether a rule grants it."""
    names = rule.get("resourceNames") or []
    _resource, slash, subresource = permission.resource.partition("/")
    resources = {permission.resource, "*", *([f"*/{subresource}"] if slash else [])}
    return (
        bool({permission.verb, "*"} & set(rule.get("verbs") or ()))
        and bool({permission.group, "*"} & set(rule.get("apiGroups") or ()))
        and bool(resources & set(rule.get("resources") or ()))
        and (not names or permission.name in names)
    )


def _rules(cluster: Cluster, namespace: str) -> Sequence[Object]:
    review = {
        "apiVersion": _API,
        "kind": "SelfSubjectRulesReview",
        "metadata": {},
        "spec": {"namespace": namespace},
    }
    try:
        answer = cluster.create(f"/apis/{_API}/selfsubjectrulesreviews", review)
    except ApiError:  # then each right is asked for
        return ()
    return (answer.get("status") or {}).get("resourceRules") or []


def _asking(cluster: Cluster, namespace: str) -> Callable[[Permission], bool]:
    def is_allowed(permission: Permission) -> bool:
        resource, _slash, subresource = permission.resource.partition("/")
        attributes = {
            "verb": permission.verb,
            "group": permission.group,
            "resource": resource,
            "subresource": subresource,
            "name": permission.name,
        }
        if space := space_of(permission.scope, namespace):
            attributes["namespace"] = space
        review = {
            "apiVersion": _API,
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": attributes},
        }
        return bool(cluster.create(f"/apis/{_API}/selfsubjectaccessreviews", review)["status"]["allowed"])

    return is_allowed
