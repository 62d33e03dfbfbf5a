# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing sends each blob once, shares it between repositories, and does nothing for what is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.http import HANG_UP, Reply, running_server
from tests.lab import oci
from tests.lab.registry import Registry, split
from tests.lab.state import LabError


class Storage(ThreadingHTTPServer):
    """What a registry keeps, and the writes that it took."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.writes: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """The part of the distribution specification that a push uses; a wrong digest is refused."""

    protocol_version = "HTTP/1.1"
    server: Storage

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Quiet."""

    def say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def do_HEAD(self) -> None:
        _, _, path = self.path.partition("/v2/")
        repository, kind, name = path.rsplit("/", 2)
        found = self.server.manifests.get(path) if kind == "manifests" else self.server.blobs.get((repository, name))
        if found is None:
            self.say(404)
        else:
            self.say(200, Docker_Content_Digest=f"sha256:{hashlib.sha256(found).hexdigest()}")

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        repository = url.path.removeprefix("/v2/").removesuffix("/blobs/uploads/")
        asked = parse_qs(url.query)
        if asked and (shared := self.server.blobs.get((asked["from"][0], asked["mount"][0]))):
            self.server.blobs[repository, asked["mount"][0]] = shared
            self.say(201)
        else:
            self.say(202, Location=f"http://{self.headers['Host']}/v2/{repository}/upload?state=1")

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.writes.append(url.path)
        path = url.path.removeprefix("/v2/")
        if path.endswith("/upload"):
            digest = parse_qs(url.query)["digest"][0]
            if digest != f"sha256:{hashlib.sha256(body).hexdigest()}":
                self.say(400)
                return
            self.server.blobs[path.removesuffix("/upload"), digest] = body
        else:
            self.server.manifests[path] = body
        self.say(201)


@pytest.fixture
def storage() -> Iterator[Storage]:
    with Storage() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def image(tmp_path: Path) -> oci.Image:
    archive = tmp_path / "layer.tar"
    archive.write_bytes(b"layer")
    return oci.image([oci.layer(archive)], entrypoint=["/p"], user="0")


def test_a_layer_is_sent_once_and_a_second_publish_writes_nothing(storage: Storage, image: oci.Image) -> None:
    registry = Registry(storage.server_address[1])
    assert registry.publish("docker.io/a/one:1", image)
    assert len(storage.writes) == 3  # layer, configuration, manifest
    assert registry.publish("quay.io/b/two:1", image)
    assert storage.writes[3:] == ["/v2/b/two/manifests/1"]
    assert not registry.publish("docker.io/a/one:1", image)
    assert len(storage.writes) == 4


def test_a_refused_blob_is_an_error_that_names_the_repository(storage: Storage, image: oci.Image) -> None:
    layer = image.layers[0]
    wrong = oci.Blob(layer.media_type, "sha256:0", layer.size, layer.content)
    with pytest.raises(LabError, match="refused a blob of a/one: 400"):
        Registry(storage.server_address[1]).publish(
            "docker.io/a/one:1", oci.Image((wrong,), image.config, image.manifest)
        )


@pytest.mark.parametrize("reference", ["alpine", "alpine:3", "docker.io/alpine", "library/alpine:3"])
def test_a_reference_that_lacks_a_part_is_refused(reference: str) -> None:
    with pytest.raises(LabError, match=f"image {reference} must be written as registry/repository:tag"):
        split(reference)


def test_a_registry_that_drops_its_first_connections_is_waited_for() -> None:
    with running_server() as server:
        server.on("GET", "/v2/", HANG_UP, HANG_UP, Reply(503), Reply(200, {}))
        Registry(server.port).await_answer()
        assert len(server.seen("GET", "/v2/")) == 4


def test_a_registry_that_never_answers_is_named() -> None:
    with running_server() as server:
        server.on("GET", "/v2/", HANG_UP)
        with pytest.raises(LabError, match="the lab's registry does not answer within 0 s"):
            Registry(server.port).await_answer(seconds=0.1)
