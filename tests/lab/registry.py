# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send images to a registry over its HTTP API; what it has already is not sent again."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

from tests.lab.oci import Blob, Image
from tests.lab.state import LabError


def split(reference: str) -> tuple[str, str, str]:
    """(registry, repository, tag) of an image reference that names all three."""
    registry, _, rest = reference.partition("/")
    repository, _, tag = rest.rpartition(":")
    if not (registry and repository and tag) or "." not in registry:
        raise LabError(f"image {reference} must be written as registry/repository:tag")
    return registry, repository, tag


class Registry:
    """A registry at 127.0.0.1:`port`."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.holder: dict[str, str] = {}  # which repository has a blob, so that the next one can share it

    def await_answer(self, seconds: float = 60) -> None:
        """Until it answers: the port of a container takes connections before the program in it does, and drops them."""
        deadline = time.monotonic() + seconds
        while not self._answers():
            self._expect(time.monotonic() < deadline, f"does not answer within {seconds:.0f} s")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self._ask("GET", "/v2/")[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return False

    def publish(self, reference: str, image: Image) -> bool:
        """Make the image answer to `reference`; False when it did already."""
        _, repository, tag = split(reference)
        if self._ask("HEAD", f"/v2/{repository}/manifests/{tag}", accept=image.manifest.media_type) == (
            200,
            image.manifest.digest,
        ):
            return False
        for blob in (*image.layers, image.config):
            self._send(repository, blob)
        status, said = self._put(f"/v2/{repository}/manifests/{tag}", image.manifest, image.manifest.media_type)
        self._expect(status == 201, f"refused the manifest of {reference}: {status} {said}")
        return True

    def _send(self, repository: str, blob: Blob) -> None:
        if self._ask("HEAD", f"/v2/{repository}/blobs/{blob.digest}")[0] == 200:
            self.holder[blob.digest] = repository
            return
        share = f"?mount={blob.digest}&from={self.holder[blob.digest]}" if blob.digest in self.holder else ""
        self.connection.request("POST", f"/v2/{repository}/blobs/uploads/{share}")
        answer = self.connection.getresponse()
        answer.read()
        if answer.status == 201:  # another repository has it
            return
        self._expect(answer.status == 202, f"refused an upload: {answer.status}")
        place = urlsplit(answer.headers["Location"])
        target = f"{place.path}?{place.query}&digest={blob.digest}"
        status, said = self._put(target, blob, "application/octet-stream")
        self._expect(status == 201, f"refused a blob of {repository}: {status} {said}")
        self.holder[blob.digest] = repository

    def _put(self, path: str, blob: Blob, kind: str) -> tuple[int, str]:
        headers = {"Content-Type": kind, "Content-Length": str(blob.size)}
        if isinstance(blob.content, bytes):
            self.connection.request("PUT", path, body=blob.content, headers=headers)
            return self._answer()
        with blob.content.open("rb") as stream:
            self.connection.request("PUT", path, body=stream, headers=headers)
            return self._answer()

    def _ask(self, method: str, path: str, accept: str = "*/*") -> tuple[int, str]:
        self.connection.request(method, path, headers={"Accept": accept})
        return self._answer()

    def _answer(self) -> tuple[int, str]:
        """(status, content digest or what was said)."""
        answer = self.connection.getresponse()
        said = answer.read()[:300].decode(errors="replace")
        return answer.status, answer.headers.get("Docker-Content-Digest") or said

    @staticmethod
    def _expect(condition: bool, message: str) -> None:
        if not condition:
            raise LabError(f"the lab's registry {message}")
