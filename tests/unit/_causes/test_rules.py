# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Prometheus has not loaded a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._causes.rules import rule_chain

from .states import HOME, event, healthy, objects, said


def rule(change: Callable[[dict[str, list[Any]]], object], wanted: str = "rules") -> str:
    kinds = healthy()
    change(kinds)
    return said(rule_chain("api", "Down", wanted, objects(kinds, moment=2e9), HOME))


def reload_failed(kinds: dict[str, list[Any]]) -> None:
    conditions = [{"type": "Reconciled", "status": "False", "message": "no such secret"}]
    kinds["prometheuses"][0]["status"] = {"conditions": conditions}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda kinds: kinds["prometheusrules"].clear(), "PrometheusRule ias-system/rules does not exist"),
        (
            lambda kinds: kinds["prometheusrules"][0]["spec"].update(groups=[]),
            "PrometheusRule ias-system/rules has no group api",
        ),
        (lambda kinds: kinds["prometheusrules"][0]["spec"]["groups"][0].update(rules=[]), "lacks rules of group api"),
        (
            lambda kinds: kinds["prometheusrules"][0]["metadata"].update(labels={}),
            "is not selected by Prometheus ias-system/main",
        ),
        (
            lambda kinds: kinds["prometheuses"][0]["spec"].update(ruleNamespaceSelector={"matchLabels": {"a": "b"}}),
            "leaves namespace ias-system out",
        ),
        (
            lambda kinds: kinds["prometheuses"][0]["spec"].pop("ruleSelector"),
            "it has no ruleSelector, which selects nothing",
        ),
        (
            lambda kinds: kinds["deployments"][1]["spec"].update(replicas=0),
            "Deployment ias-system/operator is scaled to 0",
        ),
        (
            lambda kinds: kinds["events"].append(event("PrometheusRule", "rules", "InvalidConfiguration", "bad rule")),
            "the operator refuses PrometheusRule ias-system/rules: InvalidConfiguration: bad rule",
        ),
        (reload_failed, "the operator cannot act on Prometheus ias-system/main: no such secret"),
        (lambda kinds: None, "Prometheus' configuration does not have PrometheusRule ias-system/rules"),
    ],
)
def test_a_missing_rule(change: Callable[[dict[str, list[Any]]], object], text: str) -> None:
    assert text in rule(change)


def test_a_rule_of_no_known_object() -> None:
    assert rule(lambda kinds: kinds["prometheusrules"].clear(), "") == "no PrometheusRule has a rule Down"
