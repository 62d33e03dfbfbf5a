# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Alertmanager says of its notifications: which integrations a receiver has, and how often they worked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from .._exposition import samples, unescaped

with suppress(ImportError):  # Ansible brings it
    import yaml

Key = TypeVar("Key")
_REQUESTS = "alertmanager_notification_requests_total"
_FAILED_REQUESTS = "alertmanager_notification_requests_failed_total"
_GIVEN_UP = "alertmanager_notifications_failed_total"
_FAILED_ATTEMPT = re.compile(r'msg="Notify (?:attempt failed|for alerts failed)')
_DISPATCHED = re.compile(r"(?P<receiver>.+)/(?P<kind>[a-z]+)\[\d+\]: (?P<error>.*)", re.DOTALL)
_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')
_CONFIGS = "_configs"


class Integration(NamedTuple):
    """One kind of integration (webhook, slack …) of one receiver. `receiver` is empty where the counters lack it."""

    receiver: str
    kind: str

    def __str__(self) -> str:
        return f"receiver {self.receiver}: {self.kind}"


@dataclass
class Notifications:
    """Counters since the start of an Alertmanager, or since a moment."""

    requests: Counter[Integration] = field(default_factory=Counter)
    """Attempts to notify; each repeat counts."""
    failed_requests: Counter[Integration] = field(default_factory=Counter)
    given_up: Counter[tuple[Integration, str]] = field(default_factory=Counter)
    """Notifications that no repeat could deliver, by reason."""

    @property
    def names_receivers(self) -> bool:
        """Whether counters are kept by receiver; Alertmanager has that as feature receiver-name-in-metrics."""
        return any(integration.receiver for integration in self.requests)

    def since(self, before: Notifications) -> Notifications:
        """What was counted after `before`. A counter that has become smaller began anew."""
        return Notifications(
            _increase(self.requests, before.requests),
            _increase(self.failed_requests, before.failed_requests),
            _increase(self.given_up, before.given_up),
        )


def _increase(now: Counter[Key], before: Counter[Key]) -> Counter[Key]:
    return Counter({key: value - before[key] if value >= before[key] else value for key, value in now.items()})


def total(parts: Iterable[Notifications]) -> Notifications:
    """The sum over all Alertmanagers of a cluster: one of them notifies, the others know of it."""
    found = Notifications()
    for part in parts:
        found.requests.update(part.requests)
        found.failed_requests.update(part.failed_requests)
        found.given_up.update(part.given_up)
    return found


def read_notifications(metrics: str) -> Notifications:
    """The counters out of /metrics."""
    found = Notifications()
    for name, labels, value in samples(metrics, {_REQUESTS, _FAILED_REQUESTS, _GIVEN_UP}):
        integration = Integration(labels.get("receiver_name", ""), labels.get("integration", ""))
        count = int(value)
        if name == _REQUESTS:
            found.requests[integration] += count
        elif name == _FAILED_REQUESTS:
            found.failed_requests[integration] += count
        else:
            found.given_up[integration, labels.get("reason", "")] += count
    return found


def read_integrations(configuration: str) -> dict[str, Counter[str]]:
    """How many integrations of each kind a receiver has, by receiver. Raises ValueError for what is none."""
    try:
        content = yaml.safe_load(configuration)
        return {entry["name"]: _kinds(entry) for entry in content["receivers"]}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("this is not a configuration of Alertmanager") from error


def _kinds(receiver: dict[str, object]) -> Counter[str]:
    lists = {name: value for name, value in receiver.items() if name.endswith(_CONFIGS) and isinstance(value, list)}
    return Counter({name.removesuffix(_CONFIGS): len(value) for name, value in lists.items() if value})


def last_error(log: str, integration: Integration) -> str:
    """What Alertmanager logged of the newest attempt that failed; it keeps addresses and keys out of its log."""
    error = ""
    for line in log.splitlines():
        if not _FAILED_ATTEMPT.search(line):
            continue
        fields = dict(_FIELD.findall(line))
        said = unescaped(fields.get("err", "").strip('"')).strip()
        kind = fields.get("integration", "").partition("[")[0]
        # what is not tried again is told by the dispatcher, which names the receiver in the error
        if (fields.get("receiver", "").strip('"'), kind) == integration:
            error = said or error
        elif (own := _DISPATCHED.match(said)) and (own["receiver"], own["kind"]) == integration:
            error = own["error"]
    return error
