# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what runs, who may reach it and what it may do, and knock at Grafana's door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._checks.security import DEFAULT_PASSWORDS, Live, anonymous, default_password
from .._findings import Finding
from .._http import Api, HttpError
from .._kube import Cluster

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def read_live(cluster: Cluster, namespace: str) -> Live:
    """The namespace, and who is bound to what anywhere."""
    here = f"/api/v1/namespaces/{namespace}"
    return Live(
        accounts=list(cluster.items(f"{here}/serviceaccounts")),
        services=list(cluster.items(f"{here}/services")),
        pods=list(cluster.items(f"{here}/pods")),
        bindings=[
            {**binding, "kind": kind}  # the items of a list do not say it
            for kind in ("ClusterRoleBinding", "RoleBinding")
            for binding in cluster.items(f"{_RBAC}/{kind.lower()}s")
        ],
    )


def check_grafana(api: Api, credentials: Mapping[str, Any]) -> list[Finding]:
    """Nobody gets in without a login, nor with a password that everybody knows.

    No wrong password is tried: after five of them Grafana locks the user out. That the right one is another is enough.
    """
    findings = [anonymous()] if answers(replace(api, headers={})) else []
    if credentials.get("password") in DEFAULT_PASSWORDS and answers(api):
        findings.append(default_password(str(credentials["username"])))
    return findings


def answers(api: Api) -> bool:
    try:
        api.get("/api/org")
    except HttpError as error:
        if error.status in {401, 403}:
            return False
        raise
    return True
