# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signatures that AWS publishes for S3 (Signature Calculations for the Authorization Header)."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.ias.observability.plugins.module_utils._s3.signature import (
    Keys,
    Request,
    hash_of,
    signed_headers,
)

KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
MOMENT = datetime.datetime(2013, 5, 24, tzinfo=datetime.UTC)
HOST = {"Host": "examplebucket.s3.amazonaws.com"}
EMPTY = hash_of(b"")


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        pytest.param(
            Request("GET", "/test.txt", {}, {**HOST, "Range": "bytes=0-9"}, EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            id="get",
        ),
        pytest.param(
            Request(
                "PUT",
                "/test$file.text",
                {},
                {**HOST, "Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
                hash_of(b"Welcome to Amazon S3."),
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            id="put",
        ),
        pytest.param(
            Request("GET", "/", {"lifecycle": ""}, HOST, EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            id="lifecycle",
        ),
        pytest.param(
            Request("GET", "/", {"prefix": "J", "max-keys": "2"}, HOST, EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            id="list",
        ),
    ],
)
def test_a_signature_is_the_published_one(request_: Request, signature: str) -> None:
    headers = signed_headers(request_, KEYS, "us-east-1", MOMENT)
    assert headers["Authorization"].endswith(f",Signature={signature}")
    assert headers["x-amz-date"] == "20130524T000000Z"


def test_the_secret_is_in_no_header_and_in_no_text() -> None:
    headers = signed_headers(Request("GET", "/", {}, HOST, EMPTY), KEYS, "us-east-1", MOMENT)
    assert KEYS.secret not in f"{headers}{KEYS}{KEYS!r}"
    assert KEYS.access not in repr(KEYS)
