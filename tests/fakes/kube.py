# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes API in memory: objects by path, reviews, server-side apply, and real port-forward websockets.

It knows no kinds but those of `discovery` (resources by root path): a collection exists when `serves` says so or an
object lies in it. What a test wants to see go
wrong it sets: `denied` (reviews and requests), `token`, `failures` (status per path, or method and path, used
up one by one), `silent` (ends of paths that are never answered), `headers` (of every refusal).
"""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import yaml

Object = dict[str, Any]

_PATH = re.compile(
    r"(?P<base>/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass
class FakeKube:
    """Use as a context manager; `write_kubeconfig` gives a client what it needs."""

    token: str = "let-me-in"
    version: Object = field(default_factory=lambda: {"major": "1", "minor": "36", "gitVersion": "v1.36.3"})
    objects: dict[str, Object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    serves: set[str] = field(default_factory=set)
    discovery: dict[str, list[Object]] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    failures: dict[str, list[int]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    revision: int = 100
    lock: threading.Lock = field(default_factory=threading.Lock)
    skew: float = 0.0
    """Seconds that its clock is ahead of ours."""
    clock: Callable[[], str] = field(default_factory=lambda: _now)
    created: Callable[[str, Object], None] = lambda path, body: None
    """What a controller does when an object is created."""

    def __enter__(self) -> FakeKube:
        handler = type("Handler", (_Handler,), {"kube": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"

    def kubeconfig(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": self.token}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        }

    def write_kubeconfig(self, path: Path) -> Path:
        path.write_text(yaml.safe_dump(self.kubeconfig()))
        path.chmod(0o600)
        return path

    def add(self, path: str, **body: Any) -> Object:
        """Put an object at its API path; its name and namespace come from the path."""
        found = _PATH.match(path)
        assert found, path
        metadata = {"name": found["name"], "uid": f"uid-{self.revision}", **body.pop("metadata", {})}
        if found["namespace"]:
            metadata["namespace"] = found["namespace"]
        self.revision += 1
        self.objects[path] = {"metadata": metadata | {"resourceVersion": str(self.revision)}, **body}
        return self.objects[path]

    def writes(self) -> list[Request]:
        """Every request that asked to change something: no reads, no reviews, no dry runs."""
        return [
            request
            for request in self.requests
            if request.method not in ("GET", "HEAD") and "dryRun" not in request.query and "reviews" not in request.path
        ]


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class _Handler(BaseHTTPRequestHandler):
    kube: FakeKube
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.kube.skew)

    def log_message(self, *_: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        split = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = yaml.safe_load(raw) if raw else None
        self.kube.requests.append(Request(self.command, split.path, query, body))
        if any(split.path.endswith(end) for end in self.kube.silent):
            self.rfile.read(1)  # until the client gives up
            return
        try:
            self._check(split.path)
            if split.path.endswith("/portforward"):
                self._portforward(split.path, int(query["ports"]))
            elif split.path in self.kube.texts:
                self._reply(200, self._tail(self.kube.texts[split.path], query).encode(), "text/plain")
            else:
                answer = self.kube.version if split.path == "/version" else self._resource(split.path, query, body)
                self._reply(200, json.dumps(answer).encode(), "application/json")
        except _RefusedError as error:
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": error.message}
            content = json.dumps(status | {"code": error.code}).encode()
            self._reply(error.code, content, "application/json", self.kube.headers)

    @staticmethod
    def _tail(text: str, query: dict[str, str]) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(lines[-int(query["tailLines"]) :] if "tailLines" in query else lines)

    def _check(self, path: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.kube.token}":
            raise _RefusedError(401, "Unauthorized")
        for key in (path, f"{self.command} {path}"):
            if self.kube.failures.get(key):
                raise _RefusedError(self.kube.failures[key].pop(0), "scripted failure")

    def _resource(self, path: str, query: dict[str, str], body: Any) -> Object:
        with self.kube.lock:  # as etcd does: of two writers of one version, one is refused
            return copy.deepcopy(self._answer(path, query, body))

    def _answer(self, path: str, query: dict[str, str], body: Any) -> Object:
        found = _PATH.match(path)
        if path in self.kube.discovery:
            return {"kind": "APIResourceList", "resources": self.kube.discovery[path]}
        if not found:
            raise _RefusedError(404, f"the server could not find {path}")
        if found["plural"].endswith("reviews"):
            return {**body, "status": self._review(body["spec"].get("resourceAttributes"))}
        verb = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}[self.command]
        verb = "list" if verb == "get" and found["name"] is None else verb
        if (verb, found["plural"]) in self.kube.denied:
            raise _RefusedError(403, f'{found["plural"]} is forbidden: User "fake" cannot {verb} resource')
        if verb in {"get", "list"}:
            return self._list(found, query) if found["name"] is None else self._known(found)
        if verb == "create":
            return self._create(found, body, query)
        if verb == "delete":
            return self._delete(found, query, body or {})
        if "apply-patch" not in self.headers["Content-Type"]:
            self._check_version(found, body.get("metadata", {}))
        return self._store(path, _merge(copy.deepcopy(self.kube.objects.get(path, {})), body), query)

    def _delete(self, found: re.Match[str], query: dict[str, str], body: Object) -> Object:
        if found["name"] is None:
            gone = self._list(found, query)
            for item in gone["items"]:
                del self.kube.objects[f"{found[0]}/{item['metadata']['name']}"]
            return gone
        self._check_version(found, body.get("preconditions", {}))
        return self.kube.objects.pop(found[0])

    def _review(self, asked: Object | None) -> Object:
        """Of one right, or of all rules: those as an authorizer gives them that does not list what it grants."""
        if asked is None:
            everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            return {"incomplete": True, "resourceRules": [] if self.kube.denied else [everything]}
        resource = "/".join(filter(None, [asked["resource"], asked.get("subresource")]))
        return {"allowed": (asked["verb"], resource) not in self.kube.denied}

    def _create(self, found: re.Match[str], body: Object, query: dict[str, str]) -> Object:
        metadata = body["metadata"]
        name = metadata.get("name") or f"{metadata['generateName']}{self.kube.revision}"
        path = f"{found[0]}/{name}"
        if path in self.kube.objects:
            raise _RefusedError(409, f'{found["plural"]} "{name}" already exists')
        if not self._serves(found):
            raise _RefusedError(404, "the server could not find the requested resource")
        if found["namespace"] and f"/api/v1/namespaces/{found['namespace']}" not in self.kube.objects:
            raise _RefusedError(404, f'namespaces "{found["namespace"]}" not found')
        made = {"name": name, "uid": f"uid-{self.kube.revision}", "creationTimestamp": self.kube.clock()}
        stored = self._store(path, {**body, "metadata": {**metadata, **made}}, query)
        if "dryRun" not in query:
            self.kube.created(path, stored)
        return stored

    def _check_version(self, found: re.Match[str], expected: Object) -> None:
        version = self._known(found)["metadata"]["resourceVersion"]
        if expected.get("resourceVersion", version) != version:
            raise _RefusedError(409, "the object has been modified")

    def _known(self, found: re.Match[str]) -> Object:
        if found[0] not in self.kube.objects:
            raise _RefusedError(404, f'{found["plural"]} "{found["name"]}" not found')
        return self.kube.objects[found[0]]

    def _list(self, found: re.Match[str], query: dict[str, str]) -> Object:
        wanted = dict(pair.split("=", 1) for pair in query.get("labelSelector", "").split(",") if pair)
        if not self._serves(found):
            raise _RefusedError(404, "the server could not find the requested resource")
        items = [
            item
            for namespace, item in self._of_kind(found)
            if found["namespace"] in (None, namespace) and wanted.items() <= item["metadata"].get("labels", {}).items()
        ]
        start, size = int(query.get("continue", 0)), int(query.get("limit", len(items) or 1))
        if "PartialObjectMetadataList" in self.headers.get("Accept", ""):
            items = [{"metadata": item["metadata"]} for item in items]
        more = {"continue": str(start + size)} if start + size < len(items) else {}
        return {"kind": "List", "metadata": more, "items": items[start : start + size]}

    def _serves(self, found: re.Match[str]) -> bool:
        return found[0] in self.kube.serves or found["base"] == "/api/v1" or bool(self._of_kind(found))

    def _of_kind(self, found: re.Match[str]) -> list[tuple[str | None, Object]]:
        """(namespace, object) of every object of that kind."""
        known = ((_PATH.match(path), item) for path, item in sorted(self.kube.objects.items()))
        kind = (found["base"], found["plural"])
        return [
            (other["namespace"], item) for other, item in known if other and (other["base"], other["plural"]) == kind
        ]

    def _store(self, path: str, body: Object, query: dict[str, str]) -> Object:
        before = self.kube.objects.get(path)
        body = copy.deepcopy(body)
        if before is None or _without_version(before) != _without_version(body):
            self.kube.revision += 1
            body["metadata"]["resourceVersion"] = str(self.kube.revision)
        if "dryRun" not in query:
            self.kube.objects[path] = body
        return body

    def _portforward(self, path: str, port: int) -> None:
        pod = path.split("/")[-2]
        if (pod, port) not in self.kube.ports:
            raise _RefusedError(404, f'pods "{pod}" not found')
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        self.end_headers()
        self.close_connection = True
        number = struct.pack("<H", port)
        self.wfile.write(_frame(b"\0" + number) + _frame(b"\1" + number))
        with socket.create_connection(("127.0.0.1", self.kube.ports[pod, port])) as upstream:
            self._pump(upstream)

    def _pump(self, upstream: socket.socket) -> None:
        def answers() -> None:
            with contextlib.suppress(OSError):  # the client may have gone first
                while data := upstream.recv(65536):
                    self.wfile.write(_frame(b"\0" + data))
                self.wfile.write(b"\x88\0")  # the pod has closed: so does the stream
                self.connection.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=answers, daemon=True).start()
        for data in self._frames():
            upstream.sendall(data[1:])

    def _frames(self) -> Iterator[bytes]:
        """The client's frames (masked, as the protocol wants) until it closes."""
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 15 == 8:
                return
            length = head[1] & 127
            if length > 125:
                length = int.from_bytes(self.rfile.read(2 if length == 126 else 8), "big")
            mask = self.rfile.read(4)
            yield bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(length)))

    def _reply(self, code: int, body: bytes, kind: str, more: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": kind, **more}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x82, size)) + payload
    return (struct.pack(">BBH", 0x82, 126, size) if size < 65536 else struct.pack(">BBQ", 0x82, 127, size)) + payload


def _merge(base: Object, patch: Object) -> Object:
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
    return base


def _without_version(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "resourceVersion"}
    return item | {"metadata": metadata}
