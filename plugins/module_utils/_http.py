# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON over HTTP with bounded time and bounded retries.

It sends through any urllib3 pool or manager, so a client works the same through a URL and through a tunnel.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

with contextlib.suppress(ImportError):  # told by _kube.connect() and _service
    import urllib3

if TYPE_CHECKING:
    Pool = urllib3.HTTPConnectionPool | urllib3.PoolManager
    Answer = urllib3.BaseHTTPResponse

Query = Mapping[str, Any]  # a value is a text, or a sequence of them

SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
JITTER = random.SystemRandom()


class HttpError(Exception):
    """A request that got no usable answer. ``status`` is 0 where there was no answer at all.

    It never carries a header: those hold the credentials.
    """

    def __init__(self, method: str, url: str, status: int, body: str) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.body = body
        super().__init__(f"{method} {url}: {f'{status} ' if status else ''}{self.reason}".rstrip())

    @property
    def reason(self) -> str:
        """What the server said, out of the JSON that most of them wrap it in."""
        with contextlib.suppress(ValueError):
            said = json.loads(self.body)
            if isinstance(said, dict):
                return str(said.get("message") or said.get("error") or self.body)[:500]
        return " ".join(self.body.split())[:500]

    @property
    def data(self) -> Any:
        """The body as JSON, None where it is not."""
        with contextlib.suppress(ValueError):
            return json.loads(self.body)
        return None

    @property
    def is_refusal(self) -> bool:
        """The server has said no, so it has done nothing. After anything else it may have."""
        return 400 <= self.status < 500

    @property
    def permanent(self) -> bool:
        """Asking again later cannot help."""
        if self.status == 0:
            return "CERTIFICATE_VERIFY_FAILED" in self.body
        return 400 <= self.status < 500 and self.status not in {404, 408, 409, 412, 425, 429}


@dataclass(frozen=True)
class Api:
    """One HTTP service. ``base`` is put before every path; it is a full URL where ``pool`` is a manager."""

    pool: Pool
    base: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    attempts: int = ATTEMPTS
    read_seconds: float = field(default_factory=lambda: READ_SECONDS)
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, query: Query | None = None) -> Any:
        return self.request("GET", path, query)

    def post(self, path: str, body: Any, *, repeatable: bool = False) -> Any:
        return self.request("POST", path, body=body, repeatable=repeatable)

    def put(self, path: str, body: Any, query: Query | None = None) -> Any:
        return self.request("PUT", path, query, body)

    def delete(self, path: str, query: Query | None = None) -> Any:
        return self.request("DELETE", path, query)

    def post_form(self, path: str, form: Query) -> Any:
        """A query too long for a URL. Only for reads, hence repeatable."""
        kind = "application/x-www-form-urlencoded"
        return self._decode("POST", path, self._send("POST", path, encode(form).encode(), kind, repeatable=True))

    def request(
        self, method: str, path: str, query: Query | None = None, body: Any = None, *, repeatable: bool = False
    ) -> Any:
        """Send, repeat if that is safe and can help, and return the JSON of the answer."""
        target = f"{path}?{encode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        answer = self._send(
            method, target, content, "application/json", repeatable=repeatable or method in SAFE_METHODS
        )
        return self._decode(method, path, answer)

    def _decode(self, method: str, path: str, answer: Answer) -> Any:
        if not answer.data:
            return None
        try:
            return json.loads(answer.data)
        except ValueError as error:
            body = f"the answer is not JSON: {self._said(answer.data)[:100]}"
            raise HttpError(method, self.base + path, answer.status, body) from error

    def _send(self, method: str, target: str, content: bytes | None, kind: str, *, repeatable: bool) -> Answer:
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts
            try:
                answer = self._once(method, target, content, kind)
            except urllib3.exceptions.HTTPError as error:
                if last or not _may_repeat(error, repeatable=repeatable):
                    raise HttpError(method, self.base + target, 0, root_cause(error)) from error
                self.sleep(pause(attempt))
                continue
            if answer.status < 300:
                return answer
            if last or not _worth_repeating(answer.status, repeatable=repeatable):
                raise HttpError(method, self.base + target, answer.status, self._said(answer.data))
            self.sleep(retry_after(answer.headers.get("Retry-After")) or pause(attempt))
        raise AssertionError("attempts must be at least 1")

    def _once(self, method: str, target: str, content: bytes | None, kind: str) -> Answer:
        headers = {"Accept": "application/json", **({"Content-Type": kind} if content is not None else {})}
        return self.pool.request(
            method,
            self.base + target,
            body=content,
            headers={**headers, **self.headers},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=self.read_seconds),
            retries=False,
            redirect=False,
        )

    def _said(self, data: bytes) -> str:
        """The answer's text without the credentials: there are servers that say again what they were sent."""
        text = data.decode("utf-8", "replace")
        credential = self.headers.get("Authorization", "").rpartition(" ")[2]
        return text.replace(credential, "***") if credential else text


def encode(query: Query) -> str:
    return urlencode({name: value for name, value in query.items() if value != ""}, doseq=True)


def pause(attempt: int) -> float:
    """Longer each time, and never the same for two clients."""
    return FIRST_PAUSE_SECONDS * float(2 ** (attempt - 1)) * JITTER.uniform(0.5, 1.5)


def retry_after(header: str | None) -> float:
    """The seconds a server asks to wait (a number or a date), bounded; 0 where it asks nothing."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)


def root_cause(error: BaseException) -> str:
    """The innermost reason of a urllib3 error, without the addresses of objects."""
    inner = getattr(error, "reason", None)
    while isinstance(inner, BaseException):
        error, inner = inner, getattr(inner, "reason", None)
    text = str(error.args[0] if isinstance(error, urllib3.exceptions.ProtocolError) and error.args else error)
    return text.rpartition(">: ")[2] or text


def _may_repeat(error: BaseException, *, repeatable: bool) -> bool:
    """What was never sent can always be sent again; a certificate does not get better by asking twice."""
    if isinstance(error, urllib3.exceptions.SSLError):
        return False
    never_sent = isinstance(error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))
    return repeatable or never_sent


def _worth_repeating(status: int, *, repeatable: bool) -> bool:
    """429 is a refusal before anything was done; after a 5xx something may have been done."""
    return status == 429 or (status >= 500 and repeatable)
