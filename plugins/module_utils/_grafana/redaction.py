# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that Grafana shows: in URLs, and in settings that it does not count among its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._grafana_model.model import Json

REDACTED = "[REDACTED]"  # as Grafana shows the secrets of a contact point
WORD = (
    r"(?:api|access|auth|app|secret|private|routing|service|integration)[_-]?(?:key|token|code)"
    r"|token|secret|pass(?:word|wd|phrase)|pwd|credentials?|sig(?:nature)?"
)
SECRET_NAME = re.compile(rf"(?i)(?:.*[_-])?(?:{WORD}|authorization)|\w*(?:Password|Secret|Token|ApiKey|Credentials)")
USERINFO = re.compile(r"(?<=://)([^/?#\s@]*)@")
PARAMETER = re.compile(rf"(?i)(?<=[?&;])(?:[\w.-]*[_.-])?(?:{WORD}|key|code|auth)=[^&;#\s]*&?")
# Webhooks of these hosts are open to everybody who knows their path.
WEBHOOK = re.compile(
    r"(?i)://(?:[\w.-]*\.)?(?:hooks\.slack\.com/|discord(?:app)?\.com/api/webhooks/|office(?:365)?\.com/webhook"
    r"|api\.telegram\.org/bot)"
)


def public_url(url: str) -> str:
    """A URL without the password and the keys that are in it."""
    head, mark, fragment = url.partition("#")
    address, _mark, query = head.partition("?")
    shown = USERINFO.sub(lambda match: f"{user}@" if (user := match[1].partition(":")[0]) else "", address)
    parameters = re.split("[&;]", query)
    kept = [parameter for parameter in parameters if not PARAMETER.search(f"?{parameter}")]
    if shown == address and kept == parameters:
        return url
    return shown + (f"?{'&'.join(kept)}" if any(kept) else "") + mark + fragment


def is_secret_url(text: str) -> bool:
    return "://" in text and bool(USERINFO.search(text) or PARAMETER.search(text) or WEBHOOK.search(text))


def redact(node: Any, name: str = "") -> Any:
    """The same settings with their secrets hidden. ``name`` is that of the field that holds the node."""
    if isinstance(node, dict):
        return {key: redact(value, key) for key, value in node.items()}
    if isinstance(node, list):
        return [redact(item, name) for item in node]
    if isinstance(node, str) and node and (SECRET_NAME.fullmatch(name) or is_secret_url(node)):
        return REDACTED
    return node


def hidden_paths(node: Any, path: str = "") -> Iterator[str]:
    """Where something is hidden, as names with dots between them."""
    if node == REDACTED:
        yield path
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in members:
        yield from hidden_paths(value, f"{path}.{key}" if path else str(key))


def reveal(node: Any, given: Mapping[str, str], current: Any, path: str = "") -> Any:
    """With what was hidden: as it is given, else as it is now; left out where it is neither."""
    if isinstance(node, dict):
        now = current if isinstance(current, dict) else {}
        shown = {
            key: reveal(value, given, now.get(key), f"{path}.{key}" if path else key) for key, value in node.items()
        }
        return {key: value for key, value in shown.items() if value is not None or node[key] is None}
    if isinstance(node, list):
        now_items = current if isinstance(current, list) and len(current) == len(node) else [None] * len(node)
        pairs = zip(node, now_items, strict=True)
        items = [reveal(item, given, now, f"{path}.{index}") for index, (item, now) in enumerate(pairs)]
        return [item for item, hidden in zip(items, node, strict=True) if item is not None or hidden is None]
    return given.get(path, current) if node == REDACTED else node


def without_paths(node: Any, paths: set[str], path: str = "") -> Any:
    """Without what is hidden on one side, for a comparison with the other."""
    if isinstance(node, dict):
        inner: Json = {key: f"{path}.{key}" if path else key for key in node}
        return {key: without_paths(value, paths, inner[key]) for key, value in node.items() if inner[key] not in paths}
    if isinstance(node, list):
        return [
            without_paths(item, paths, f"{path}.{index}")
            for index, item in enumerate(node)
            if f"{path}.{index}" not in paths
        ]
    return node
