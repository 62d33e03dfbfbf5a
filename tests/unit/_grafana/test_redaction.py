# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is hidden, what is not, and how it comes back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._grafana.client import segment
from ansible_collections.ias.observability.plugins.module_utils._grafana.redaction import (
    REDACTED,
    hidden_paths,
    public_url,
    redact,
    reveal,
    without_paths,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://loki:3100", "http://loki:3100"),
        ("http://loki:3100/a/b?c=d&e=f", "http://loki:3100/a/b?c=d&e=f"),
        ("http://user:pass@loki:3100/x", "http://user@loki:3100/x"),
        ("http://:pass@loki:3100", "http://loki:3100"),
        ("http://user:pa:ss@loki", "http://user@loki"),
        ("http://user@loki", "http://user@loki"),
        ("http://p:9/?api_key=abc", "http://p:9/"),
        ("http://p:9/?x=1&api_key=abc&y=2", "http://p:9/?x=1&y=2"),
        ("http://p:9/?token=abc", "http://p:9/"),
        ("http://p:9/?access-token=abc#top", "http://p:9/#top"),
        ("https://h/?X-Amz-Signature=abc", "https://h/"),
        ("https://h/?sig=abc&sv=1", "https://h/?sv=1"),
        ("http://[", "http://["),
        ("http://user:pass@[::1]:80", "http://user@[::1]:80"),
        ("", ""),
    ],
)
def test_a_url(url: str, shown: str) -> None:
    assert public_url(url) == shown


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://user:s3cret@hook/x"},
        {"url": "http://s3cret@hook/x"},
        {"url": "http://:s3cret@hook/x"},
        {"url": "https://hook/x?api_key=s3cret"},
        {"url": "https://hook/x?a=b&apikey=s3cret"},
        {"url": "https://chat.example.org/spaces?key=1&token=s3cret"},
        {"url": "https://hooks.slack.com/services/T0/B0/s3cret"},
        {"url": "https://discord.com/api/webhooks/1/s3cret"},
        {"url": "https://example.webhook.office.com/webhookb2/s3cret"},
        {"url": "https://api.telegram.org/bot1:s3cret/send"},
        {"apiKey": "s3cret"},
        {"api_key": "s3cret"},
        {"integrationKey": "s3cret"},
        {"password": "s3cret"},
        {"authorization": "Bearer s3cret"},
        {"headers": {"Authorization": "s3cret"}},
        {"http_config": {"oauth2": {"client_secret": "s3cret", "token_url": "https://x/token"}}},
        {"addresses": ["https://a:s3cret@b/"]},
        {"message": "see https://u:s3cret@wiki/x for help"},
    ],
    ids=str,
)
def test_a_secret_setting(settings: dict[str, Any]) -> None:
    hidden = redact(settings)
    assert "s3cret" not in str(hidden)
    assert REDACTED in str(hidden)
    paths = list(hidden_paths(hidden))
    assert len(paths) == 1
    assert reveal(hidden, {}, settings) == settings
    assert reveal(hidden, {paths[0]: "given"}, settings) != settings
    assert REDACTED not in str(reveal(hidden, {}, {}))
    assert "s3cret" not in str(without_paths(settings, set(paths)))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "https://hook.example.org/x?room=7"},
        {"addresses": "ops@example.org; dev@example.org"},
        {"authorization_scheme": "Bearer", "httpMethod": "POST", "tokenUrl": "https://x/token"},
        {"recipient": "#ops", "mentionUsers": "u1", "title": '{{ template "slack.title" . }}'},
        {"oauthPassThru": True, "tlsAuth": True, "secret": False, "keepCookies": ["a"]},
        {"password": ""},
    ],
    ids=str,
)
def test_what_is_no_secret(settings: dict[str, Any]) -> None:
    assert redact(settings) == settings


def test_a_long_text_takes_no_time() -> None:
    started = time.monotonic()
    for text in ("http://" * 50_000, "://" + "a:" * 100_000, "?" + "a-" * 100_000, "://" + "&token" * 50_000):
        redact({"url": text, text: text})
        public_url(text)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("key", ["a/../b", "..", ".", "a?b", "a#b", "%2e%2e", "ü"])
def test_a_key_is_one_segment_of_a_path(key: str) -> None:
    assert not set(segment(key)) & set("/?#")
    assert segment(key) not in {".", ".."}
