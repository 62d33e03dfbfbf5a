# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No server makes a call last longer, or take more memory, than it may."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import urllib3

from ansible_collections.ias.observability.plugins.module_utils import _http
from ansible_collections.ias.observability.plugins.module_utils._http import NO_DEADLINE, Api, Deadline, HttpError
from ansible_collections.ias.observability.plugins.module_utils._http.sockets import bound_pools
from tests.fakes import hostile
from tests.fakes.hostile import Script, hostile_server

WHOLE_SECONDS = 0.6


@pytest.fixture
def manager() -> Iterator[urllib3.PoolManager]:
    with bound_pools(urllib3.PoolManager()) as manager:
        yield manager


def seconds_of_failure(api: Api) -> float:
    started = time.monotonic()
    with pytest.raises(HttpError):
        api.get("/x")
    return time.monotonic() - started


@pytest.mark.parametrize("script", hostile.LATE)
def test_a_call_ends_with_its_deadline(script: Script, manager: urllib3.PoolManager) -> None:
    with hostile_server(script) as url:
        assert seconds_of_failure(Api(manager, url, deadline=NO_DEADLINE.within(WHOLE_SECONDS))) < WHOLE_SECONDS + 0.5


@pytest.mark.parametrize("script", hostile.LATE)
def test_a_call_without_a_deadline_ends_too(
    script: Script, manager: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http.transport, "CALL_SECONDS", WHOLE_SECONDS)
    with hostile_server(script) as url:
        assert seconds_of_failure(Api(manager, url)) < WHOLE_SECONDS + 0.5


def test_nothing_is_sent_after_the_end(manager: urllib3.PoolManager) -> None:
    clock = iter([0.0, 10.0, 10.0, 10.0, 10.0])
    api = Api(manager, "http://127.0.0.1:9", deadline=Deadline(5.0, clock=lambda: next(clock)))
    with pytest.raises(HttpError, match="the time is over before it was asked"):
        api.get("/x")


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (hostile.zeros(400), "larger than 32 MiB"),
        (hostile.endless_zeros(400), "larger than 32 MiB"),
        (hostile.chunked_zeros(400), "larger than 32 MiB"),
        (hostile.json_of(b"[" + b"0," * 15_000_000 + b"0]"), "more than 1000000 values"),
        (hostile.json_of(b"[" * 2_000_000), "more than 1000000 values"),
        (hostile.json_of(b"[" * 100_000), "more than 200 levels"),
        (hostile.json_of(b"[" * 300 + b"]" * 300), "more than 200 levels"),
    ],
)
def test_what_is_too_large_is_refused(script: Script, cause: str, manager: urllib3.PoolManager) -> None:
    with hostile_server(script) as url, pytest.raises(HttpError, match=cause):
        Api(manager, url).get("/x")


def test_what_is_compressed_is_refused(manager: urllib3.PoolManager) -> None:
    with hostile_server(hostile.compressed_zeros(100)) as url, pytest.raises(HttpError, match="compressed"):
        Api(manager, url).get("/x")


MEASURE = r"""
import re, sys, time
from pathlib import Path
import urllib3
from ansible_collections.ias.observability.plugins.module_utils._http import Api, HttpError

def peak():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])

before = peak()
started = time.monotonic()
try:
    Api(urllib3.PoolManager(), sys.argv[1]).get("/x")
except HttpError:
    print(peak() - before, time.monotonic() - started)
"""


@pytest.mark.parametrize("script", [hostile.zeros(400), hostile.chunked_zeros(400), hostile.compressed_zeros(400)])
def test_a_large_answer_costs_little(script: Script) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with hostile_server(script) as url:
        ran = subprocess.run(
            [sys.executable, "-c", MEASURE, url],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    kibibytes, seconds = map(float, ran.stdout.split())
    assert kibibytes < 100 * 1024
    assert seconds < 5
