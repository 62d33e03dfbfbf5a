# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bucket over HTTP: an object in, out, listed, deleted. Path style, as every S3-compatible store takes it."""

from __future__ import annotations

import base64
import datetime
import html
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from .._http.transport import NoAnswerError, Response, Transport
from .._printable import printable
from .signature import Keys, Request, hash_of, signed_headers

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SHOWN_CHARACTERS = 300


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class S3Error(Exception):
    """A request that was refused, or got no answer: then `status` is 0. It carries no credentials."""

    def __init__(self, status: int, code: str, message: str, region: str = "", date: float | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.region = region
        """The one that the store wants, where it says so."""
        self.date = date
        """The store's clock, in seconds since the epoch."""
        super().__init__(printable(" ".join(filter(None, (str(status or ""), code, message)))))


@dataclass(frozen=True)
class Body:
    """What a request carries, and how S3 is told of it."""

    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    unsigned: str = ""
    """S3's word for a body that is not signed as a whole."""

    @property
    def hash(self) -> str:
        return self.unsigned or hash_of(self.content)


EMPTY = Body()


def with_trailer(content: bytes) -> Body:
    """One chunk, and its CRC-32 behind it."""
    checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big"))
    chunks = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(content), content, checksum)
    headers = {
        "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(content)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    return Body(chunks, headers, UNSIGNED_TRAILER)


@dataclass(frozen=True)
class Bucket:
    """`base` is put before every path: a URL where the transport's pool is a manager."""

    transport: Transport
    base: str
    host: str
    region: str
    name: str
    keys: Keys = field(repr=False)
    now: Callable[[], datetime.datetime] = _now

    def put(self, key: str, content: bytes) -> None:
        self._send("PUT", key, Body(content))

    def put_with_trailer(self, key: str, content: bytes) -> None:
        """As clients of AWS do by default: the checksum follows the body."""
        self._send("PUT", key, with_trailer(content))

    def get(self, key: str) -> bytes:
        return self._send("GET", key).data

    def sizes(self, prefix: str) -> dict[str, int]:
        """The objects whose keys begin so, with their bytes; at most a thousand."""
        query = {"list-type": "2", "prefix": prefix}
        return read_list(self._send("GET", "", query=query).data.decode("utf-8", "replace"))

    def delete(self, key: str) -> None:
        self._send("DELETE", key)

    def _send(self, method: str, key: str, body: Body = EMPTY, query: Mapping[str, str] | None = None) -> Response:
        headers = {"Host": self.host, **body.headers}
        request = Request(method, f"/{self.name}/{key}", query or {}, headers, body.hash)
        signed = signed_headers(request, self.keys, self.region, self.now())
        url = self.base + request.target
        try:
            answer = self.transport.send(method, url, signed, body.content or None, repeatable=True)
        except NoAnswerError as error:
            raise S3Error(error.status, "", str(error)) from error
        if answer.status >= 300:
            raise refusal(answer, self.keys)
        return answer


def read_list(answer: str) -> dict[str, int]:
    entries = re.findall(r"<Contents>(.*?)</Contents>", answer, re.DOTALL)
    found = [(re.search(r"<Key>([^<]*)</Key>", one), re.search(r"<Size>(\d+)</Size>", one)) for one in entries]
    return {html.unescape(key[1]): int(size[1]) for key, size in found if key and size}


def refusal(answer: Response, keys: Keys) -> S3Error:
    """What the store says, out of its XML and without the keys; a store that speaks no XML has no code."""
    text = answer.data.decode("utf-8", "replace")

    def tag(name: str) -> str:
        found = re.search(rf"<{name}>([^<]*)</{name}>", text)
        value = html.unescape(found[1]) if found else ""
        for key in keys:
            value = value.replace(key, "***") if key else value
        return printable(" ".join(value.split()))[:SHOWN_CHARACTERS]

    try:
        date = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        date = None
    region = tag("Region") or answer.headers.get("x-amz-bucket-region", "")
    return S3Error(answer.status, tag("Code"), tag("Message"), printable(region), date)
