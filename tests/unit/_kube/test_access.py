# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights an account has: by its rules, and one by one where those do not say."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import access
from ansible_collections.ias.observability.plugins.module_utils._kube.client import Cluster, connect
from ansible_collections.ias.observability.plugins.module_utils._kube.permissions import DEPLOYER, Permission
from tests.fakes.kube import FakeKube

LOGS = Permission("cluster", "get", "", "pods/log")
SECRET = Permission("namespace", "get", "", "secrets", "prometheus-grafana")


def rule(verbs: list[str], groups: list[str], resources: list[str], **names: Any) -> dict[str, Any]:
    return {"verbs": verbs, "apiGroups": groups, "resources": resources, **names}


@pytest.mark.parametrize(
    ("permission", "granted", "covered"),
    [
        (LOGS, rule(["get"], [""], ["pods/log"]), True),
        (LOGS, rule(["get"], [""], ["pods"]), False),
        (LOGS, rule(["*"], ["*"], ["*"]), True),
        (LOGS, rule(["get"], [""], ["*/log"]), True),
        (LOGS, rule(["get"], ["apps"], ["*"]), False),
        (SECRET, rule(["get"], [""], ["secrets"], resourceNames=["prometheus-grafana"]), True),
        (SECRET, rule(["get"], [""], ["secrets"], resourceNames=["other"]), False),
        (SECRET._replace(name=""), rule(["get"], [""], ["secrets"], resourceNames=["other"]), False),
    ],
)
def test_what_a_rule_grants(permission: Permission, granted: dict[str, Any], covered: bool) -> None:
    assert access.covers(granted, permission) is covered


def asked(kube: FakeKube) -> list[str]:
    return [request.path.rpartition("/")[2] for request in kube.requests if request.method == "POST"]


def test_rules_are_enough_where_they_grant_all() -> None:
    with FakeKube() as kube:
        cluster = Cluster(connect({"kubeconfig": kube.kubeconfig()}))
        assert access.missing(cluster, "ias-system", DEPLOYER) == []
        assert asked(kube) == ["selfsubjectrulesreviews"] * 3


def test_what_rules_do_not_show_is_asked() -> None:
    with FakeKube(denied={("create", "namespaces")}) as kube:
        cluster = Cluster(connect({"kubeconfig": kube.kubeconfig()}))
        assert access.missing(cluster, "ias-system", DEPLOYER) == [Permission("cluster", "create", "", "namespaces")]
        assert asked(kube).count("selfsubjectaccessreviews") == len(DEPLOYER)


def test_an_api_without_rules_is_asked_for_each_right() -> None:
    rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    with FakeKube(failures={rules: [403] * 9}) as kube:
        cluster = Cluster(connect({"kubeconfig": kube.kubeconfig()}))
        assert access.missing(cluster, "ias-system", [LOGS, SECRET]) == []
