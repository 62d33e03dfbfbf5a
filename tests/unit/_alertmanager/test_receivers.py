# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site's integrations in the receivers of a routing: no secret in it, and Alertmanager's own tool reads it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.ias.observability.plugins.module_utils._alertmanager.receivers import ReceiverError, configured

PLAIN = {"route": {"receiver": "page"}, "receivers": [{"name": "page"}, {"name": "ticket"}]}
PAGER = {"name": "page", "type": "pagerduty", "secret": "pd"}
WEBHOOK = {"name": "page", "type": "webhook", "secret": "hooks", "key": "page"}
SLACK = {"name": "ticket", "type": "slack", "secret": "slack", "channel": "#tickets"}
EMAIL = {"name": "ticket", "type": "email", "to": "a@example.com", "from": "b@example.com", "smarthost": "mail:587"}
ALL = [PAGER, WEBHOOK, SLACK, EMAIL, EMAIL | {"secret": "smtp", "username": "me"}]


def receiver(result: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in result["receivers"] if one["name"] == name]
    return dict(found)


def test_without_integrations_nothing_changes() -> None:
    assert configured(PLAIN, []) == PLAIN


def test_each_type_reads_its_secret_from_a_file() -> None:
    made = configured(PLAIN, ALL)
    page, ticket = receiver(made, "page"), receiver(made, "ticket")
    assert page["pagerduty_configs"][0]["routing_key_file"] == "/etc/alertmanager/secrets/pd/routing_key"
    assert page["webhook_configs"] == [{"url_file": "/etc/alertmanager/secrets/hooks/page", "send_resolved": True}]
    assert ticket["slack_configs"][0]["api_url_file"] == "/etc/alertmanager/secrets/slack/url"
    assert ticket["slack_configs"][0]["channel"] == "#tickets"
    open_, known = ticket["email_configs"]
    assert not {"auth_username", "auth_password_file"} & set(open_)
    assert known["auth_password_file"] == "/etc/alertmanager/secrets/smtp/password"
    assert known["auth_username"] == "me"


def test_what_is_given_stays_as_it_is() -> None:
    before = yaml.safe_dump(PLAIN)
    configured(PLAIN, ALL)
    assert yaml.safe_dump(PLAIN) == before


def test_integrations_of_the_routing_itself_are_kept() -> None:
    own = {"receivers": [{"name": "page", "webhook_configs": [{"url": "http://own"}]}]}
    urls = [
        one.get("url") or one["url_file"] for one in receiver(configured(own, [WEBHOOK]), "page")["webhook_configs"]
    ]
    assert urls == ["http://own", "/etc/alertmanager/secrets/hooks/page"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (PAGER | {"name": "pager"}, "receiver 'pager' does not exist: the routing has page, ticket"),
        (PAGER | {"type": "pigeon"}, "receiver 'page': type 'pigeon' is not one of webhook, slack, pagerduty, email"),
        (PAGER | {"secret": ""}, "receiver 'page': pagerduty needs secret"),
        ({"name": "ticket", "type": "slack"}, "receiver 'ticket': slack needs secret, channel"),
        (EMAIL | {"to": None}, "receiver 'ticket': email needs to"),
    ],
)
def test_what_cannot_be_configured(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ReceiverError, match=f"^{said}$"):
        configured(PLAIN, [entry])
