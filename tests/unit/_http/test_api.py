# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from time import time

import pytest
import urllib3

from ansible_collections.ias.observability.plugins.module_utils._http import Api, Deadline, HttpError
from ansible_collections.ias.observability.plugins.module_utils._http.transport import retry_after
from tests.fakes.http import HANG_UP, Reply, Server, running_server


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def api(server: Server, pauses: list[float]) -> Iterator[Api]:
    headers = {"Authorization": "Bearer s3cret"}
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port) as pool:
        yield Api(pool, "", headers, read_seconds=0.2, deadline=Deadline(sleep=pauses.append))


def test_one_connection_serves_many_requests(server: Server, api: Api) -> None:
    server.ok("GET", "/x", {"a": 1})
    assert [api.get("/x", {"q": "1", "unset": ""}) for _ in range(5)] == [{"a": 1}] * 5
    assert server.connections == 1
    assert server.requests[0].query == {"q": ["1"]}
    assert server.requests[0].headers["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("trouble", [Reply(500), Reply(503), Reply(429), HANG_UP, Reply(200, {}, {}, 0.4)])
def test_a_read_is_repeated_after_trouble(server: Server, api: Api, pauses: list[float], trouble: object) -> None:
    server.on("GET", "/x", trouble, trouble, Reply(200, "fine"))
    assert api.get("/x") == "fine"
    assert len(pauses) == 2
    assert 0 < pauses[0] < 1


@pytest.mark.parametrize("trouble", [Reply(500, {"message": "broken"}), HANG_UP])
def test_a_write_is_not_repeated(server: Server, api: Api, trouble: object) -> None:
    server.on("POST", "/x", trouble)
    with pytest.raises(HttpError):
        api.post("/x", {})
    assert len(server.requests) == 1


def test_a_write_that_may_be_repeated_is(server: Server, api: Api) -> None:
    server.on("POST", "/x", Reply(502), Reply(200, {"ok": True}))
    assert api.post("/x", {"n": 1}, repeatable=True) == {"ok": True}
    assert [request.body for request in server.requests] == [{"n": 1}, {"n": 1}]


def test_a_refused_write_is_repeated_when_the_server_says(server: Server, api: Api, pauses: list[float]) -> None:
    server.on("POST", "/x", Reply(429, None, {"Retry-After": "7"}), Reply(200, {}))
    api.post("/x", {})
    assert pauses == [7.0]


def test_attempts_are_bounded(server: Server, api: Api) -> None:
    server.on("GET", "/x", Reply(500, {"message": "still broken"}))
    with pytest.raises(HttpError, match="GET /x: 500 still broken"):
        api.get("/x")
    assert len(server.requests) == 4


def test_a_client_error_is_told_at_once_and_without_credentials(server: Server, api: Api) -> None:
    server.on("GET", "/x", Reply(403, {"message": "no"}))
    with pytest.raises(HttpError) as error:
        api.get("/x")
    assert len(server.requests) == 1
    assert error.value.permanent
    assert "s3cret" not in f"{error.value!r} {error.value} {vars(error.value)} {api!r}"


def test_nobody_listens(pauses: list[float]) -> None:
    api = Api(urllib3.PoolManager(), "http://127.0.0.1:9", deadline=Deadline(sleep=pauses.append))
    with pytest.raises(HttpError, match=r"POST http://127.0.0.1:9/x: .*refused") as error:
        api.post("/x", {})
    assert not error.value.permanent
    assert len(pauses) == 3  # a connection that never was can be tried again, whatever it was for


def test_an_answer_that_is_not_json(server: Server, api: Api) -> None:
    server.on("GET", "/x", Reply(200, b"<html>"))
    with pytest.raises(HttpError, match="the answer is not JSON: <html>"):
        api.get("/x")


def test_retry_after() -> None:
    assert retry_after("3") == 3
    assert retry_after("99999") == 30
    assert 5 < retry_after(formatdate(time() + 10, usegmt=True)) <= 10
    assert retry_after(None) == 0


@pytest.mark.parametrize(
    "header", ["soon", "nan", "-1", "-inf", "1e9999", "9" * 5000, "Mon, 01 Jan 9999999 00:00:00 GMT", "\x00", " "]
)
def test_a_retry_after_that_says_nothing(header: str) -> None:
    assert 0 <= retry_after(header) <= 30


@pytest.mark.parametrize("header", ["nan", "inf", "-5", "9" * 5000, "Mon, 01 Jan 0000 99:00:00 GMT"])
def test_a_retry_after_is_no_reason_to_stop(server: Server, api: Api, pauses: list[float], header: str) -> None:
    server.on("GET", "/x", Reply(429, None, {"Retry-After": header}), Reply(200, "fine"))
    assert api.get("/x") == "fine"
    assert 0 <= pauses[0] <= 30


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"message": ' * 100_000, b"\xff\x00\x1b[31m", b'{"message": [1]}'])
def test_an_odd_error_is_told(server: Server, api: Api, body: bytes) -> None:
    server.on("GET", "/x", Reply(400, body))
    with pytest.raises(HttpError, match="GET /x: 400 ") as caught:
        api.get("/x")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_secrets_of_a_url_are_not_told(server: Server, api: Api) -> None:
    server.on("GET", "/x", Reply(400, {"message": "cannot get http://me:pw@db/x?a=1&api_key=s3cret&b=2"}))
    with pytest.raises(HttpError) as caught:
        api.get("/x", {"token": "t0ken", "limit": "5"})
    assert "cannot get http://***@db/x?a=1&api_key=***&b=2" in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert "limit=5" in str(caught.value)
