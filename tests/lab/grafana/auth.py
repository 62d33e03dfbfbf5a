# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and what they may: Basic auth, service account tokens, anonymous, and the lock after bad passwords."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from tests.lab.grafana.errors import ApiError, forbidden
from tests.lab.grafana.store import Draft, Store

LOCK_WINDOW = 300.0  # seconds, a constant in Grafana too
ROUNDS = 10_000


class Role(IntEnum):
    """Organisation roles, and the server admin above them."""

    NONE = 0
    VIEWER = 1
    EDITOR = 2
    ADMIN = 3
    SERVER_ADMIN = 4


# The lowest role that has a permission.
PERMISSIONS = {
    "dashboards:read": Role.VIEWER,
    "dashboards:create": Role.EDITOR,
    "dashboards:write": Role.EDITOR,
    "dashboards:delete": Role.EDITOR,
    "folders:read": Role.VIEWER,
    "folders:create": Role.EDITOR,
    "folders:write": Role.EDITOR,
    "folders:delete": Role.EDITOR,
    "datasources:query": Role.VIEWER,
    "datasources:read": Role.VIEWER,  # without the paid permissions of data sources everybody may
    "datasources:create": Role.ADMIN,
    "datasources:write": Role.ADMIN,
    "datasources:delete": Role.ADMIN,
    "serviceaccounts:read": Role.ADMIN,
    "serviceaccounts:create": Role.ADMIN,
    "serviceaccounts:write": Role.ADMIN,
    "serviceaccounts:delete": Role.ADMIN,
    "orgs:read": Role.VIEWER,
    "alert.notifications:read": Role.VIEWER,
    "alert.provisioning:read": Role.ADMIN,
    "alert.provisioning:write": Role.ADMIN,
    "provisioning:reload": Role.SERVER_ADMIN,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller."""

    kind: str  # user, service-account, anonymous
    name: str
    role: Role

    @property
    def uid(self) -> str:
        return f"{self.kind}:{self.name}"

    def need(self, *permissions: str) -> None:
        """Refuse with 403 unless one of the permissions is there."""
        if not any(self.role >= PERMISSIONS[permission] for permission in permissions):
            raise forbidden(permissions)


def _bad_password() -> ApiError:
    return ApiError(401, "Invalid username or password", message_id="password-auth.failed")


@functools.lru_cache(maxsize=64)
def hash_password(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ROUNDS).hex()


def hash_token(token: str) -> str:
    """Tokens are long and random: a plain hash keeps them out of the database."""
    return hashlib.sha256(token.encode()).hexdigest()


class Authenticator:
    """Tells who a request is from."""

    def __init__(
        self, store: Store, *, anonymous: Role | None, attempts: int | None, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._anonymous = anonymous
        self._attempts = attempts
        self._clock = clock
        self._failures: dict[str, list[float]] = {}
        self._known: set[str] = set()  # passwords that were right, so that each request does not pay for the rounds

    def ensure_admin(self, login: str, password: str) -> None:
        """Make the first user. Grafana reads the password for a new database only; later changes are ignored."""
        if self._store.all_of("users"):
            return
        salt = secrets.token_hex(8)
        spec = {"salt": salt, "password": hash_password(password, salt)}
        self._store.create(Draft("users", login, spec), "system")

    def authenticate(self, headers: Mapping[str, str]) -> Identity:
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._token(value.strip())
        if scheme.lower() == "basic":
            return self._basic(value.strip())
        if self._anonymous is not None:
            return Identity("anonymous", "0", self._anonymous)
        raise ApiError(401, "Unauthorized", message_id="auth.unauthorized")

    def _basic(self, value: str) -> Identity:
        try:
            login, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _bad_password() from None
        if self._locked(login) or not self._password_fits(login, password):
            raise _bad_password()
        return Identity("user", login, Role.SERVER_ADMIN)

    def _password_fits(self, login: str, password: str) -> bool:
        user = self._store.get("users", login)
        if user is None:
            self._failures.setdefault(login, []).append(self._clock())
            return False
        known = hash_token(f"{user.rv}:{login}:{password}")
        if known not in self._known:
            if not secrets.compare_digest(user.spec["password"], hash_password(password, user.spec["salt"])):
                self._failures.setdefault(login, []).append(self._clock())
                return False
            self._known.add(known)
        self._failures.pop(login, None)
        return True

    def _locked(self, login: str) -> bool:
        if self._attempts is None:
            return False
        since = self._clock() - LOCK_WINDOW
        recent = [at for at in self._failures.get(login, []) if at > since]
        self._failures[login] = recent
        return len(recent) >= self._attempts

    def _token(self, token: str) -> Identity:
        found = self._store.get("tokens", hash_token(token))
        if found is None:
            raise ApiError(401, "Invalid API key", message_id="api-key.invalid")
        if found.spec["expires"] and found.spec["expires"] <= self._clock():
            raise ApiError(401, "Expired API key", message_id="api-key.expired")
        account = self._store.get("serviceaccounts", found.folder)
        if account is None or account.spec["isDisabled"]:
            raise ApiError(401, "Invalid API key", message_id="api-key.invalid")
        return Identity("service-account", account.uid, Role[account.spec["role"].upper()])
