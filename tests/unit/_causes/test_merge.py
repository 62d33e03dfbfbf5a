# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause, one finding."""

from __future__ import annotations

from ansible_collections.ias.observability.plugins.module_utils._causes.chain import Step, broken, unknown
from ansible_collections.ias.observability.plugins.module_utils._causes.merge import Explained, merged
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding

GONE = broken("PrometheusRule a/b does not exist", "Apply it")


def finding(name: str, identity: str = "alerts/not-loaded", **more: str) -> Finding:
    return Finding(identity, "error", "Prometheus has not loaded this rule", "Check", object=name, **more)


def test_findings_of_one_cause_are_one_with_a_count() -> None:
    many = [Explained(finding(f"g/r{number}", file="alerts.yaml"), [GONE]) for number in range(21)]
    other = Explained(finding("g/x"), [broken("PrometheusRule a/c is not selected")])
    plain = finding("", "alerts/no-alertmanager")
    first, second, third = merged([Explained(plain), *many, other])
    assert first == plain
    assert second.message == "PrometheusRule a/b does not exist: 21 rules are missing"
    assert (second.hint, second.file, second.severity) == ("Apply it", "alerts.yaml", "error")
    assert second.evidence["objects"] == [f"g/r{number}" for number in range(21)]
    assert third.message == "PrometheusRule a/c is not selected: Prometheus has not loaded this rule"
    assert third.object == "g/x"


def test_the_deepest_broken_link_is_the_cause() -> None:
    chain = [broken("job web has no target"), Step("Service a/web has port 80"), GONE, unknown("its log is not read")]
    (found,) = merged([Explained(finding("g/r"), chain)])
    assert found.message.startswith("PrometheusRule a/b does not exist: ")
    assert found.evidence["looked_at"] == [
        "BROKEN: job web has no target",
        "ok: Service a/web has port 80",
        "BROKEN: PrometheusRule a/b does not exist",
        "?: its log is not read",
    ]


def test_what_has_no_cause_keeps_its_words() -> None:
    (found,) = merged([Explained(finding("g/r"), [Step("all is well")])])
    assert found.message == "Prometheus has not loaded this rule"
    assert found.evidence == {"looked_at": ["ok: all is well"]}


def test_a_message_may_hold_braces() -> None:
    pair = [Explained(Finding("x/y", "warning", "label {a}", object=name), [GONE]) for name in "ab"]
    (found,) = merged(pair)
    assert found.message == "PrometheusRule a/b does not exist: 2 findings, such as: label {a}"
