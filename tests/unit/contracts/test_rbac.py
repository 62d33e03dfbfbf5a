# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifests of contracts/rbac grant what the preflight asks for: no less, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._kube.permissions import (
    CANARY,
    DEPLOYER,
    PREFLIGHT,
    READER,
    Permission,
    Scope,
)

RBAC = Path(__file__).resolve().parents[3] / "contracts" / "rbac"
SCOPES: dict[str | None, Scope] = {
    None: "cluster",
    "ias-system": "namespace",
    "kube-system": "kube-system",
    "kube-node-lease": "kube-node-lease",
}


def granted(path: Path) -> Iterator[Permission]:
    """Each permission that the roles of a file grant, as often as they do."""
    for role in yaml.safe_load(path.read_text("utf-8"))["items"]:
        scope = SCOPES[role["metadata"].get("namespace")]
        assert role["kind"] == ("ClusterRole" if scope == "cluster" else "Role")
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        for name in rule.get("resourceNames", [""]):
                            yield Permission(scope, verb, group, resource, name)


@pytest.mark.parametrize(
    ("file", "permissions"),
    [("deployer.yaml", (*DEPLOYER, *PREFLIGHT)), ("reader.yaml", READER), ("canary.yaml", CANARY)],
)
def test_a_manifest_grants_what_is_asked_for(file: str, permissions: Sequence[Permission]) -> None:
    assert sorted(granted(RBAC / file)) == sorted(permissions)


def test_who_may_deploy_may_verify() -> None:
    wide = {permission._replace(name="") for permission in DEPLOYER}
    assert {permission._replace(name="") for permission in (*READER, *CANARY)} <= wide


def test_nothing_is_granted_with_a_wildcard() -> None:
    assert not [permission for permission in DEPLOYER if "*" in permission]
