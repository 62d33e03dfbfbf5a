# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager's counters, configuration and log, as its versions write them."""

from __future__ import annotations

import pytest

from ansible_collections.ias.observability.plugins.module_utils._alertmanager.notifications import (
    Integration,
    last_error,
    read_integrations,
    read_notifications,
    total,
)

METRICS = r"""
# HELP alertmanager_notification_requests_total The total number of attempted notification requests.
# TYPE alertmanager_notification_requests_total counter
alertmanager_notification_requests_total{integration="slack",receiver_name="a \"b\"\\c"} 1.2e+03
alertmanager_notification_requests_failed_total{integration="slack",receiver_name="a \"b\"\\c"} 3
alertmanager_notifications_failed_total{integration="slack",reason="clientError",receiver_name="a \"b\"\\c"} 2
alertmanager_notifications_total{integration="slack",receiver_name="a \"b\"\\c"} 9
"""
SLACK = Integration('a "b"\\c', "slack")
RETRY, END = '"Notify attempt failed, will retry later"', '"Notify for alerts failed"'
LOG = rf"""
time=1 level=WARN msg={RETRY} receiver=page integration=webhook[0] err="Post \"<redacted>\": EOF"
time=2 level=ERROR msg={END} receiver=page integration=webhook[1] err="page/webhook[1]: status code 403"
time=3 level=WARN msg={RETRY} receiver=other integration=webhook[0] err="no such host"
ts=4 caller=dispatch.go level=error msg={END} receiver=page integration=slack[0] err=EOF
"""


def test_counters_of_each_integration() -> None:
    found = read_notifications(METRICS)
    assert (found.requests, found.failed_requests) == ({SLACK: 1200}, {SLACK: 3})
    assert found.given_up == {(SLACK, "clientError"): 2}
    assert found.names_receivers


def test_counters_without_the_names_of_receivers() -> None:
    found = read_notifications('alertmanager_notification_requests_total{integration="email"} 4')
    assert found.requests == {Integration("", "email"): 4}
    assert not found.names_receivers


def test_two_alertmanagers_are_added_up() -> None:
    assert total([read_notifications(METRICS)] * 2).requests == {SLACK: 2400}


def test_integrations_of_every_receiver() -> None:
    receivers = "[{name: a, slack_configs: [{}, {}], email_configs: []}, {name: b, webhook_configs: [{}]}, {name: c}]"
    assert read_integrations(f"receivers: {receivers}") == {"a": {"slack": 2}, "b": {"webhook": 1}, "c": {}}


@pytest.mark.parametrize("text", ["", "[", "receivers: 1", "receivers: [1]", "receivers: [{}]", "[" * 5000])
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(ValueError, match="not a configuration of Alertmanager"):
        read_integrations(text)


@pytest.mark.parametrize(
    ("integration", "error"),
    [
        (Integration("page", "webhook"), "page/webhook[1]: status code 403"),
        (Integration("page", "slack"), "EOF"),
        (Integration("other", "webhook"), "no such host"),
        (Integration("page", "email"), ""),
    ],
)
def test_the_last_error_in_the_log(integration: Integration, error: str) -> None:
    assert last_error(LOG, integration) == error


def test_a_refusal_that_is_not_tried_again_is_told_by_the_dispatcher() -> None:
    err = 'err="team a/webhook[0]: notify retry canceled: unexpected status code 403: \\n"'
    log = f'level=ERROR msg="Notify for alerts failed" component=dispatcher num_alerts=1 {err}'
    assert last_error(log, Integration("team a", "webhook")) == "notify retry canceled: unexpected status code 403:"
    assert last_error(log, Integration("team b", "webhook")) == ""
