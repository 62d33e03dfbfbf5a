# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON over HTTP: answers are read, errors are typed.

It sends through any urllib3 pool or manager, so a client works the same through a URL and through a tunnel.
"""

from __future__ import annotations

import contextlib
import json
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from .._json import TooComplexError, read_json
from .._printable import printable
from .deadline import NO_DEADLINE, Deadline
from .transport import ATTEMPTS, NoAnswerError, Response, Transport

if TYPE_CHECKING:
    from .transport import Pool

Query = Mapping[str, Any]  # a value is a text, or a sequence of them
Parsed = TypeVar("Parsed")

SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
READ_SECONDS = 30.0
SHOWN_CHARACTERS = 500
STATUS_TEXTS = {status.value: status.phrase for status in HTTPStatus}


class HttpError(Exception):
    """A request that got no usable answer. ``status`` is 0 where there was no answer at all.

    It never carries a header: those hold the credentials.
    """

    def __init__(self, method: str, url: str, status: int, body: str) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.body = body
        super().__init__(printable(f"{method} {url}: {f'{status} ' if status else ''}{self.reason}".rstrip()))

    @property
    def reason(self) -> str:
        """The server's message, out of the JSON that most of them wrap it in; the status in words where it has none."""
        answer = self.data
        text = (
            (answer.get("message") or answer.get("error") or answer.get("reason")) if isinstance(answer, dict) else None
        )
        text = text if isinstance(text, str) else " ".join(self.body[: 2 * SHOWN_CHARACTERS].split())
        return printable(text[:SHOWN_CHARACTERS] or STATUS_TEXTS.get(self.status, ""))

    @property
    def data(self) -> Any:
        """The body as JSON, None where it is not."""
        with contextlib.suppress(ValueError):
            return read_json(self.body.encode("utf-8", "replace"))
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
    deadline: Deadline = NO_DEADLINE

    def get(self, path: str, query: Query | None = None) -> Any:
        return self.request("GET", path, query)

    def get_text(self, path: str) -> str:
        """An answer that is not JSON, such as metrics."""
        return self._send("GET", path, None, "", repeatable=True).data.decode("utf-8", "replace")

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

    def _decode(self, method: str, path: str, answer: Response) -> Any:
        if not answer.data:
            return None
        try:
            return read_json(answer.data)
        except ValueError as error:
            cause = error if isinstance(error, TooComplexError) else f"is not JSON: {self._said(answer.data)[:100]}"
            raise HttpError(method, self.base + path, answer.status, f"the answer {cause}") from error

    def _send(self, method: str, target: str, content: bytes | None, kind: str, *, repeatable: bool) -> Response:
        headers = {"Accept": "application/json", **({"Content-Type": kind} if content is not None else {})}
        url = self.base + target
        transport = Transport(self.pool, self.deadline, self.read_seconds, self.attempts)
        try:
            answer = transport.send(method, url, {**headers, **self.headers}, content, repeatable=repeatable)
        except NoAnswerError as error:
            raise HttpError(method, url, error.status, str(error)) from error
        if answer.status >= 300:
            raise HttpError(method, url, answer.status, self._said(answer.data))
        return answer

    def _said(self, data: bytes) -> str:
        """The answer's text without the credentials: there are servers that repeat what they were sent."""
        text = data.decode("utf-8", "replace")
        credential = self.headers.get("Authorization", "").rpartition(" ")[2]
        return text.replace(credential, "***") if credential else text


def parse(service: str, path: str, read: Callable[[Any], Parsed], answer: Any) -> Parsed:
    """Read an answer that came with a success; what stands before the service may have given it."""
    try:
        return read(answer)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        message = f"this is not an answer of {service}: {reprlib.repr(answer)}; check that the address is {service}'s"
        raise HttpError("GET", path, 200, message) from error


def text(value: Any) -> str:
    """The value, which must be a text: TypeError otherwise."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not a text")
    return value


def labels(value: Any) -> dict[str, str]:
    """The value, which must be an object of texts."""
    return {name: text(entry) for name, entry in value.items()}


def encode(query: Query) -> str:
    return urlencode({name: value for name, value in query.items() if value != ""}, doseq=True)
