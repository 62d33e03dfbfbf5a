# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Alertmanager's receivers send to: a routing without addresses, and the integrations of a site, made one.

An integration never holds a secret, only the file of a mounted Secret that does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Plain = dict[str, Any]

SECRETS = "/etc/alertmanager/secrets"
"""Where the operator mounts the Secrets of `alertmanagerSpec.secrets`, each below its name."""

_TEXT = (
    "{{ range .Alerts }}*{{ .Annotations.summary }}*\n{{ .Annotations.description }}\n"
    "Dashboard: {{ .Annotations.dashboard_url }}\nRunbook: {{ .Annotations.runbook_url }}\n{{ end }}"
)
_TITLE = "[{{ .Status | toUpper }}] {{ .GroupLabels.alertname }} ({{ .Alerts | len }})"


class ReceiverError(ValueError):
    """A receiver cannot be configured; says which one, and why."""


def configured(routing: Mapping[str, Any], integrations: Sequence[Mapping[str, Any]]) -> Plain:
    """Alertmanager's configuration: `routing` with the integrations added to its receivers, in their order.

    An integration has `name` (of the receiver), `type`, `secret` and `key` (of the Secret), and what its type needs.
    Raises ReceiverError.
    """
    # No deep copy: in a playbook these are Ansible's containers, with its whole templating behind them.
    receivers: dict[str, Plain] = {receiver["name"]: dict(receiver) for receiver in routing.get("receivers") or []}
    for entry in integrations:
        name = entry["name"]
        if name not in receivers:
            raise ReceiverError(f"receiver {name!r} does not exist: the routing has {', '.join(receivers) or 'none'}")
        section, made = integration(entry)
        receivers[name][section] = [*receivers[name].get(section, ()), made]
    return {**routing, "receivers": list(receivers.values())}


def integration(entry: Mapping[str, Any]) -> tuple[str, Plain]:
    """(section, settings) of one integration, as Alertmanager's configuration has them."""
    kind = entry["type"]
    if kind not in _KINDS:
        raise ReceiverError(f"receiver {entry['name']!r}: type {kind!r} is not one of {', '.join(_KINDS)}")
    needs, make = _KINDS[kind]
    if missing := [name for name in needs if not entry.get(name)]:
        raise ReceiverError(f"receiver {entry['name']!r}: {kind} needs {', '.join(missing)}")
    return f"{kind}_configs", make(entry)


def _file(entry: Mapping[str, Any], key: str) -> str:
    return f"{SECRETS}/{entry['secret']}/{entry.get('key') or key}"


def _webhook(entry: Mapping[str, Any]) -> Plain:
    return {"url_file": _file(entry, "url"), "send_resolved": True}


def _slack(entry: Mapping[str, Any]) -> Plain:
    where = {"api_url_file": _file(entry, "url"), "channel": entry["channel"]}
    return {**where, "send_resolved": True, "title": _TITLE, "text": _TEXT}


def _pagerduty(entry: Mapping[str, Any]) -> Plain:
    return {
        "routing_key_file": _file(entry, "routing_key"),
        "send_resolved": True,
        "severity": '{{ or .CommonLabels.severity "error" }}',
        "description": "{{ .CommonAnnotations.summary }}",
        "details": {
            "description": "{{ .CommonAnnotations.description }}",
            "runbook": "{{ .CommonAnnotations.runbook_url }}",
        },
    }


def _email(entry: Mapping[str, Any]) -> Plain:
    made: Plain = {name: entry[name] for name in ("to", "from", "smarthost")} | {"send_resolved": True}
    if entry.get("secret"):
        made |= {
            "auth_username": entry.get("username") or entry["from"],
            "auth_password_file": _file(entry, "password"),
        }
    return made


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Plain]]] = {
    "webhook": (("secret",), _webhook),
    "slack": (("secret", "channel"), _slack),
    "pagerduty": (("secret",), _pagerduty),
    "email": (("to", "from", "smarthost"), _email),
}
