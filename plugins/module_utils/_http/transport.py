# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its repeats, within a deadline. It knows neither JSON nor whose service it is."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .deadline import Deadline

with contextlib.suppress(ImportError):  # reported by _kube.connect() and _service
    import urllib3
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        InvalidHeader,
        NewConnectionError,
        ProtocolError,
        ReadTimeoutError,
        SSLError,
    )

if TYPE_CHECKING:
    Pool = urllib3.HTTPConnectionPool | urllib3.PoolManager

ATTEMPTS = 4
CONNECT_SECONDS = 5.0
CALL_SECONDS = 120.0
"""Of all attempts and pauses together."""
FIRST_PAUSE_SECONDS = 0.2
RETRY_AFTER_MAX = 30.0
BODY_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
_CONNECTION = re.compile(r"^\w+\(host=[^)]*\): ")
"""How urllib3 names the connection before it says what is wrong with it."""
JITTER = random.SystemRandom()


class Response(NamedTuple):
    """An answer of any status, read to its end."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class NoAnswerError(Exception):
    """There is no answer that can be used. `str()` is the cause; `status` is 0 where nothing came at all."""

    def __init__(self, cause: str, status: int = 0) -> None:
        super().__init__(cause)
        self.status = status


@dataclass(frozen=True, slots=True)
class Transport:
    """Sends through any urllib3 pool or manager. `seconds` is what one attempt may take."""

    pool: Pool
    deadline: Deadline
    seconds: float
    attempts: int = ATTEMPTS

    def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None, *, repeatable: bool
    ) -> Response:
        """The answer, after as many attempts as make sense."""
        call = self.deadline.within(CALL_SECONDS)
        for attempt in range(1, self.attempts + 1):
            wait = pause(attempt)
            outcome: Response | HTTPError
            try:
                outcome = self._attempt(call, method, url, headers, content)
                repeat = _worth_repeating(outcome.status, repeatable=repeatable)
                wait = retry_after(outcome.headers.get("Retry-After")) or wait
            except HTTPError as error:
                outcome = error
                repeat = _may_repeat(error, repeatable=repeatable)
            if not repeat or attempt == self.attempts or wait >= call.left():
                break
            call.pause(wait)
        if isinstance(outcome, Response):
            return outcome
        raise NoAnswerError(root_cause(outcome)) from outcome

    def _attempt(
        self, call: Deadline, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> Response:
        seconds = min(self.seconds, call.left())
        if not seconds:
            raise NoAnswerError("the time is over before it was asked")
        answer = self.pool.request(
            method,
            url,
            body=content,
            headers={"Accept-Encoding": "identity", **headers},
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds, total=seconds),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            return Response(answer.status, answer.headers, read_body(answer))
        except BaseException:
            answer.close()
            raise


def read_body(answer: urllib3.BaseHTTPResponse) -> bytes:
    """All of the body, as it is sent; refused when it is compressed or too large."""
    encoding = answer.headers.get("Content-Encoding", "")
    if encoding.lower() not in {"", "identity"}:
        raise NoAnswerError(f"the answer is compressed ({encoding}), which was not asked for", answer.status)
    body = bytearray()
    for part in answer.stream(CHUNK_BYTES, decode_content=False):
        body += part
        if len(body) > BODY_BYTES:
            raise NoAnswerError(f"the answer is larger than {BODY_BYTES >> 20} MiB", answer.status)
    answer.release_conn()
    return bytes(body)


def pause(attempt: int) -> float:
    """Longer each time, and never the same for two clients."""
    return FIRST_PAUSE_SECONDS * float(2 ** (attempt - 1)) * JITTER.uniform(0.5, 1.5)


def retry_after(header: str | None) -> float:
    """The seconds a server asks to wait (a number or a date), bounded; 0 where it asks nothing that can be read."""
    if not header:
        return 0.0
    try:
        seconds = urllib3.Retry().parse_retry_after(header)
    except (InvalidHeader, ValueError, OverflowError, OSError):
        return 0.0
    return float(min(max(seconds, 0), RETRY_AFTER_MAX))


def root_cause(error: BaseException) -> str:
    """The innermost reason of a urllib3 error, without the addresses of objects."""
    inner = getattr(error, "reason", None)
    while isinstance(inner, BaseException):
        error, inner = inner, getattr(inner, "reason", None)
    if isinstance(error, ReadTimeoutError):
        return "no whole answer came in time"
    text = str(error.args[0] if isinstance(error, ProtocolError) and error.args else error)
    return _CONNECTION.sub("", text.rpartition(">: ")[2] or text)


def _may_repeat(error: BaseException, *, repeatable: bool) -> bool:
    """Always after a refused connection; never to wait twice for silence, or for a better certificate."""
    if isinstance(error, NewConnectionError):
        return True
    return repeatable and not isinstance(error, (SSLError, ConnectTimeoutError))


def _worth_repeating(status: int, *, repeatable: bool) -> bool:
    """429 is a refusal before anything was done; after a 5xx something may have been done."""
    return status == 429 or (status >= 500 and repeatable)
