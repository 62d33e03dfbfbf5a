# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signature Version 4 of AWS, for S3: what a request must carry so that its key is believed."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNRESERVED = "-_.~"


class Keys(NamedTuple):
    """A pair of credentials."""

    access: str
    secret: str

    def __repr__(self) -> str:
        return "Keys(***)"


class Request(NamedTuple):
    """What is sent: `path` and `query` as they are meant, not yet escaped; `headers` with the Host."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content_hash: str
    """Hexadecimal SHA-256 of the body, or one of S3's words for a body that is not signed."""

    @property
    def target(self) -> str:
        """Path and query as they go over the wire, and into the signature."""
        path = quote(self.path, safe="/" + UNRESERVED)
        pairs = sorted(
            (quote(key, safe=UNRESERVED), quote(value, safe=UNRESERVED)) for key, value in self.query.items()
        )
        return f"{path}?{'&'.join(f'{key}={value}' for key, value in pairs)}" if pairs else path


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def signed_headers(request: Request, keys: Keys, region: str, moment: datetime.datetime) -> dict[str, str]:
    """All headers of the request, its signature among them."""
    date = moment.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {**request.headers, "x-amz-content-sha256": request.content_hash, "x-amz-date": date}
    lowered = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _value in lowered)
    path, _mark, query = request.target.partition("?")
    lines = "".join(f"{name}:{value}\n" for name, value in lowered)
    canonical = "\n".join((request.method, path, query, lines, names, request.content_hash))
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = "\n".join((ALGORITHM, date, scope, hash_of(canonical.encode())))
    key = f"AWS4{keys.secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={keys.access}/{scope}"
    return {**headers, "Authorization": f"{ALGORITHM} {credential},SignedHeaders={names},Signature={key.hex()}"}
