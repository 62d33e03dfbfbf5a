# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every part of the double needs, and the small helpers around a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request

from tests.lab.grafana.auth import Authenticator, Identity
from tests.lab.grafana.config import Config
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.faults import Faults
from tests.lab.grafana.release import Release
from tests.lab.grafana.store import Store

MAX_BODY = 16 * 1024 * 1024
UID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Grafana:
    """One running double."""

    config: Config
    store: Store
    auth: Authenticator
    backends: httpx.AsyncClient
    faults: Faults
    clock: Callable[[], float]

    @property
    def release(self) -> Release:
        return self.config.release


def caller(request: Request) -> Identity:
    """Set by the authentication of app.py."""
    identity = request.state.identity
    if not isinstance(identity, Identity):
        raise TypeError("request without identity")
    return identity


async def read_json(request: Request, too_large: str = "request body too large") -> dict[str, Any]:
    """The body as an object, or Grafana's 400 and 413."""
    body = await request.body()
    if len(body) > MAX_BODY:
        raise ApiError(413, too_large)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(400, "bad request data") from None
    if not isinstance(value, dict):
        raise ApiError(400, "bad request data")
    return value


def check_uid(uid: str) -> None:
    """Rules for every uid; an empty one is the caller's business."""
    if uid and not UID.fullmatch(uid):
        raise ApiError(400, "uid contains illegal characters")
    if len(uid) > 40:
        raise ApiError(400, "uid too long, max 40 characters")


def number(text: str | None, default: int) -> int:
    """A query parameter; what is no positive number counts as absent."""
    return int(text) if text and text.isdigit() and int(text) > 0 else default


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
