# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to a service inside the cluster through the API server: a port-forward in this process.

No kubectl, no listening port. Each pooled connection is one websocket to a ready pod of the service, looked up anew
when it is opened, so a pod that was replaced is found again by the pool's next connection.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._http.sockets import TimedSocket
from .client import Cluster, Object, authorization
from .errors import ApiError, KubeError, NotReadyError, UnreachableError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from urllib3.connection import HTTPConnection

with suppress(ImportError):  # reported by connect()
    import kubernetes
    import urllib3
    from kubernetes.stream import ws_client

CONNECTIONS = 8
HANDSHAKE_SECONDS = 10.0
DIALOGUE_SECONDS = 30.0
READY_INTERVAL_SECONDS = 2.0
"""Between two looks for a ready pod."""


class Endpoint(NamedTuple):
    """One port of one pod."""

    pod: str
    port: int


class Tunnel:
    """A connection pool whose connections go where `find` says. Close it, or use it in a with statement."""

    def __init__(self, cluster: Cluster, namespace: str, host: str, port: int, find: Callable[[], Endpoint]) -> None:
        self.pool = urllib3.HTTPConnectionPool(f"{host}.{namespace}", port, maxsize=CONNECTIONS)

        def dial() -> socket.socket:
            return open_socket(cluster, namespace, find())

        self.pool.ConnectionCls = _connection_class(dial)

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.pool.close()


def forward(cluster: Cluster, namespace: str, service: str, port: int, patience: float = 0.0) -> Tunnel:
    """A tunnel to a service. A ready pod behind it is waited for `patience` seconds; then NotReadyError."""

    def find() -> Endpoint:
        return ready_endpoints(cluster, namespace, service, port)[0]

    waiting = cluster.deadline.within(patience)
    while True:
        try:
            find()
        except NotReadyError as error:
            if waiting.left():
                waiting.pause(READY_INTERVAL_SECONDS)
                continue
            waited = f", after {patience:g} s of waiting" if patience else ""
            raise NotReadyError(error.message + waited, error.hint) from error
        return Tunnel(cluster, namespace, service, port, find)


def forward_each(cluster: Cluster, namespace: str, service: str, port: int) -> dict[str, Tunnel]:
    """A tunnel to each ready pod behind a service, by the pod's name; raises KubeError when there is none."""
    return {
        endpoint.pod: forward_pod(cluster, namespace, *endpoint)
        for endpoint in ready_endpoints(cluster, namespace, service, port)
    }


def forward_pod(cluster: Cluster, namespace: str, pod: str, port: int) -> Tunnel:
    """A tunnel to one pod, whatever its state is."""
    return Tunnel(cluster, namespace, pod, port, partial(Endpoint, pod, port))


@contextmanager
def dial(cluster: Cluster, namespace: str, endpoint: Endpoint) -> Iterator[TimedSocket]:
    """A new connection to a pod, for what is not HTTP; it ends with the cluster's deadline, 30 seconds at most."""
    connection = TimedSocket(open_socket(cluster, namespace, endpoint))
    try:
        connection.settimeout(cluster.deadline.within(DIALOGUE_SECONDS).left())
        yield connection
    finally:
        connection.close()


def ready_endpoints(cluster: Cluster, namespace: str, service: str, port: int) -> list[Endpoint]:
    """The ready pods behind the service, at least one, and each pod's own number for the service's port."""
    name = f"{namespace}/{service}"
    found = cluster.find(f"/api/v1/namespaces/{namespace}/services/{service}")
    if found is None:
        raise KubeError(f"service {name} does not exist", "Deploy it first, or correct its name")
    ports = {entry["port"]: entry.get("name", "") for entry in found["spec"].get("ports", [])}
    if port not in ports:
        raise KubeError(f"service {name} has no port {port}", f"It has {', '.join(map(str, sorted(ports))) or 'none'}")
    slices = cluster.items(
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
        labelSelector=f"kubernetes.io/service-name={service}",
    )
    endpoints = [endpoint for part in slices for endpoint in _ready(part, ports[port])]
    if not endpoints:
        hint = f"See: kubectl get pods,endpointslices --namespace {namespace}"
        raise NotReadyError(f"no ready pod stands behind service {name}", hint)
    return endpoints


def _ready(part: Object, port_name: str) -> Iterator[Endpoint]:
    """The ready pods of one EndpointSlice that have that port."""
    numbers = {entry.get("name") or "": entry.get("port") for entry in part.get("ports") or []}
    for endpoint in part.get("endpoints") or []:
        target = endpoint.get("targetRef", {})
        if endpoint.get("conditions", {}).get("ready") and target.get("kind") == "Pod" and port_name in numbers:
            yield Endpoint(target["name"], numbers[port_name])


def open_socket(cluster: Cluster, namespace: str, endpoint: Endpoint) -> socket.socket:
    """Open one port-forward; the socket carries the pod's bytes."""
    pod = f"{namespace}/{endpoint.pod}"
    seconds = min(HANDSHAKE_SECONDS, cluster.deadline.left())
    # The library waits for the handshake without an end. What is left behind here ends with the process.
    stream: Future[Any] = Future()
    Thread(target=_open_stream, args=(stream, cluster.client, namespace, endpoint), daemon=True).start()
    try:
        opened: socket.socket = stream.result(seconds).socket(endpoint.port)
    except TimeoutError as error:
        raise UnreachableError(
            f"the port-forward to pod {pod} did not open within {seconds:.0f} s",
            "Check the API server's way to the kubelet, and proxies that do not pass on websockets",
        ) from error
    except kubernetes.client.ApiException as error:
        raise ApiError(
            error.status or 0,
            f"cannot open a port-forward to pod {pod}: {error.reason}",
            "It needs the right to create pods/portforward",
        ) from error
    return opened


def _open_stream(stream: Future[Any], client: ApiClient, namespace: str, endpoint: Endpoint) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods/{endpoint.pod}/portforward"
    # kubernetes.stream.portforward swaps a method of the shared client for the time of a call: not for threads.
    open_stream: Callable[..., Any] = ws_client.portforward_call
    try:
        stream.set_result(
            open_stream(
                client.configuration,
                "GET",
                client.configuration.host + path,
                query_params=[("ports", str(endpoint.port))],
                headers=authorization(client),
            )
        )
    except Exception as error:
        stream.set_exception(error)


def _connection_class(dial: Callable[[], socket.socket]) -> type[HTTPConnection]:
    class TunnelConnection(urllib3.connection.HTTPConnection):
        def connect(self) -> None:
            try:
                self.sock = TimedSocket(dial())
            except KubeError as error:  # as a failed connection, the pool's retries apply to it
                raise urllib3.exceptions.NewConnectionError(self, str(error)) from error
            self.sock.settimeout(self.timeout)

    return TunnelConnection
