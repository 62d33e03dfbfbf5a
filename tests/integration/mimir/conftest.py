# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's S3 server on a port of its own, with the lab's buckets and accounts."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import object_storage
from tests.unit.rendering import program

START_SECONDS = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def await_true(true: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} within {seconds:.0f} s"
        time.sleep(0.1)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def objects_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server has its buckets: a folder each, a file an object."""
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory, objects_folder: Path) -> Iterator[str]:
    accounts = tmp_path_factory.mktemp("accounts")
    (users,) = (
        one["stringData"]["users.json"] for one in object_storage.objects() if one["metadata"]["name"] == "accounts"
    )
    (accounts / "users.json").write_text(users)
    port, binary = free_port(), program("versitygw")
    endpoint = f"127.0.0.1:{port}"
    keys = {"ACCESS_KEY_ID": "root", "SECRET_ACCESS_KEY": "root-secret"}
    environment = os.environ | {f"{who}_{key}": value for who in ("ROOT", "ADMIN") for key, value in keys.items()}
    environment |= {"ADMIN_ENDPOINT_URL": f"http://{endpoint}", "ADMIN_REGION": object_storage.REGION}
    options = ["--port", endpoint, "--region", object_storage.REGION, "--iam-dir", str(accounts), "--quiet"]
    server = subprocess.Popen([binary, *options, "posix", str(objects_folder)], env=environment)
    try:
        await_true(lambda: listens(port), "the S3 server listens")
        for component, buckets in object_storage.BUCKETS.items():
            for bucket in buckets:
                owner = ["--owner", object_storage.access_key(component), "--bucket", bucket]
                subprocess.run([binary, "admin", "create-bucket", *owner], env=environment, check=True)
        yield endpoint
    finally:
        server.terminate()
        server.wait(10)
