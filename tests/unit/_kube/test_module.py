# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module that takes Kubernetes credentials logs and returns about how it was called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.ias.observability.plugins.module_utils._kube.module import kube_module, secrets_of
from ansible_collections.ias.observability.plugins.modules import (
    deployment_lease,
    helm_release_plan,
    scrape_targets_verify,
)

TOKEN = "an-inline-t0ken"
KUBECONFIG = {
    "apiVersion": "v1",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [
        {
            "name": "u",
            "user": {
                "token": TOKEN,
                "exec": {"command": "login", "env": [{"name": "CLIENT_SECRET", "value": f"{TOKEN}-2"}]},
                "auth-provider": {"config": {"id-token": f"{TOKEN}-3", "client-secret": f"{TOKEN}-4"}},
            },
        }
    ],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
INJECTED = {"_ansible_inject_invocation": True, "_ansible_verbosity": 4}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the host's log."""
    lines: list[str] = []
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.syslog, "syslog", lambda _level, line: lines.append(line))
    return lines


def printed(module: Any, capsys: pytest.CaptureFixture[str], **arguments: Any) -> str:
    with patch_module_args({**arguments, **INJECTED}), pytest.raises(SystemExit):
        module.main()
    return capsys.readouterr().out


@pytest.mark.parametrize("kubeconfig", [KUBECONFIG, json.dumps(KUBECONFIG), f"users:\n- user:\n    token: {TOKEN}\n"])
@pytest.mark.parametrize("wrong", [{}, {"timeout": "soon"}, {"unknown": 1}])
def test_an_inline_kubeconfig_is_neither_logged_nor_returned(
    kubeconfig: object, wrong: dict[str, Any], log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    result = printed(scrape_targets_verify, capsys, kubeconfig=kubeconfig, **{"timeout": 0, **wrong})
    assert json.loads(result)["failed"] is True
    assert TOKEN not in result
    assert TOKEN not in "".join(log)
    assert "invocation" in json.loads(result)


def test_the_invocation_is_logged(log: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise the test above would prove nothing."""
    printed(deployment_lease, capsys, kubeconfig=KUBECONFIG, namespace="ias-system")
    assert "ias-system" in "".join(log)


@pytest.mark.parametrize(
    "wrong", [{"pending_after": "soon"}, {"unknown": 1}, {"name": None}, {"values": "x: s3cret-value"}]
)
def test_values_are_not_returned_by_a_wrong_call(wrong: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    call = {"name": "x", "namespace": "x", "chart_ref": "x", "values": {"a": {"password": "s3cret-value"}}}
    result = printed(helm_release_plan, capsys, **{**call, **wrong})
    assert json.loads(result)["failed"] is True
    assert "s3cret-value" not in result


def test_secrets_of() -> None:
    assert secrets_of(KUBECONFIG) == {TOKEN, f"{TOKEN}-2", f"{TOKEN}-3", f"{TOKEN}-4"}
    assert secrets_of("/home/me/.kube/token: x") == set()
    assert secrets_of(None) == set()


def test_messages_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({}), pytest.raises(SystemExit):
        kube_module({}).fail_json("\x1b[31m http://me:pw@host \udcff")
    assert json.loads(capsys.readouterr().out)["msg"] == r"\x1b[31m http://***@host \udcff"
