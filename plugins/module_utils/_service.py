# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module reaches a service: by its URL, or through the Kubernetes API to the pods behind it."""

from __future__ import annotations

import base64
import contextlib
import copy
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from . import _kube
from ._http import NO_DEADLINE, Api, Deadline
from ._http.sockets import bound_pools
from ._kube import SetupError
from ._printable import printable

with contextlib.suppress(ImportError):  # reported by connect()
    import urllib3


LOG_BYTES = 1 << 20
READY_SECONDS = 60.0
"""How long a module that does not look again by itself waits for a ready pod: probes fail for some seconds."""


def service_args(service: str, port: int) -> dict[str, Any]:
    """The option of one service."""
    return {
        "type": "dict",
        "default": {},
        "apply_defaults": True,
        "options": {
            "url": {"type": "str"},
            "namespace": {"type": "str", "default": "ias-system"},
            "service": {"type": "str", "default": service},
            "port": {"type": "int", "default": port},
            "token": {"type": "str", "no_log": True},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "ca_file": {"type": "path"},
            "client_cert": {"type": "path"},
            "client_key": {"type": "path", "no_log": False},
            "validate_certs": {"type": "bool", "default": True},
        },
        "required_together": [("username", "password"), ("client_cert", "client_key")],
        "mutually_exclusive": [("token", "username")],
    }


def with_admin_secret(option: dict[str, Any]) -> dict[str, Any]:
    """The option, also with credentials that the module reads itself: they never pass through a play."""
    return option | {
        "options": option["options"] | {"admin_secret": {"type": "str", "no_log": False}},
        "mutually_exclusive": [("token", "username", "admin_secret")],
    }


PROMETHEUS = service_args("prometheus-kube-prometheus-prometheus", 9090)
LOKI = service_args("loki", 3100)
TEMPO = service_args("tempo", 3200)
GRAFANA = with_admin_secret(service_args("prometheus-grafana", 80))
ALERTMANAGER = service_args("prometheus-kube-prometheus-alertmanager", 9093)
WEBHOOK = service_args("alert-receiver", 8080) | {"default": None, "apply_defaults": False}


def arguments(**options: dict[str, Any]) -> dict[str, Any]:
    """The options of a module, copied: Ansible fills in the very dict that is an option's default."""
    return copy.deepcopy(options)


@contextlib.contextmanager
def open_service(params: Mapping[str, Any], name: str, deadline: Deadline = NO_DEADLINE) -> Iterator[Api]:
    """Reach the service that the option ``name`` describes; the connections close with the block.

    Every call ends with the deadline, and whoever gave it looks again. Without one each has a bound of its own, and a
    ready pod is waited for.
    """
    service, secret = params[name], params[name].get("admin_secret")
    cluster = _kube.Cluster(_kube.connect(params), deadline) if secret or not service["url"] else None
    if cluster and secret:
        service = {**service, **read_admin(cluster, service["namespace"], secret)}
    headers = credentials(service)
    if cluster and not service["url"]:
        patience = READY_SECONDS if deadline is NO_DEADLINE else 0.0
        with _kube.forward(cluster, service["namespace"], service["service"], service["port"], patience) as tunnel:
            yield Api(tunnel.pool, "", headers, deadline=deadline)
        return
    manager = manager_for(service)
    try:
        yield Api(manager, service["url"].rstrip("/"), headers, deadline=deadline)
    finally:
        manager.clear()


class Replica(NamedTuple):
    """One pod behind a service; without a name where a URL leads to it."""

    pod: str
    api: Api
    log: Callable[[str, int], str]
    """The log of one of its containers, of the last seconds; empty where it cannot be read."""


@contextlib.contextmanager
def open_replicas(params: Mapping[str, Any], name: str, deadline: Deadline = NO_DEADLINE) -> Iterator[list[Replica]]:
    """Reach every ready pod behind the service that the option ``name`` describes; with a URL, what answers there."""
    service = params[name]
    if service["url"]:
        with open_service(params, name, deadline) as api:
            yield [Replica("", api, lambda container, seconds: "")]
        return
    cluster, namespace = _kube.Cluster(_kube.connect(params), deadline), service["namespace"]
    with contextlib.ExitStack() as stack:
        tunnels = _kube.forward_each(cluster, namespace, service["service"], service["port"])
        yield [
            Replica(
                pod,
                Api(stack.enter_context(tunnel).pool, "", credentials(service), deadline=deadline),
                functools.partial(read_log, cluster, f"/api/v1/namespaces/{namespace}/pods/{pod}/log"),
            )
            for pod, tunnel in tunnels.items()
        ]


def read_log(cluster: _kube.Cluster, path: str, container: str, seconds: int) -> str:
    """A log as evidence: without the right to read it there is none."""
    try:
        text = cluster.text(path, container=container, sinceSeconds=str(seconds), limitBytes=str(LOG_BYTES))
    except _kube.KubeError:
        return ""
    return printable(text)


def read_admin(cluster: _kube.Cluster, namespace: str, name: str) -> dict[str, str]:
    """User name and password out of a Secret as Grafana's chart makes it."""
    secret = cluster.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    if secret is None:
        raise SetupError(
            f"Secret {name} does not exist in namespace {namespace}", "Deploy Grafana first, or correct admin_secret"
        )
    data = secret.get("data") or {}
    keys = {"username": "admin-user", "password": "admin-password"}
    missing = [key for key in keys.values() if key not in data]
    if missing:
        raise SetupError(
            f"Secret {name} in namespace {namespace} has no key {' and no key '.join(missing)}", "Correct admin_secret"
        )
    return {option: base64.b64decode(data[key]).decode("utf-8", "replace") for option, key in keys.items()}


def credentials(service: Mapping[str, Any]) -> dict[str, str]:
    if service["token"]:
        return {"Authorization": f"Bearer {service['token']}"}
    if service["username"]:
        pair = f"{service['username']}:{service['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def manager_for(service: Mapping[str, Any]) -> urllib3.PoolManager:
    """A pool for a URL, with its trust and through the environment's proxy."""
    url = read_url(service["url"])
    for option in ("ca_file", "client_cert", "client_key"):
        if service[option] and not os.access(service[option], os.R_OK):
            raise SetupError(f"{option} {service[option]} cannot be read", f"Correct the option {option}")
    trust: dict[str, Any] = {
        "cert_reqs": "CERT_REQUIRED" if service["validate_certs"] else "CERT_NONE",
        "ca_certs": service["ca_file"],
        "cert_file": service["client_cert"],
        "key_file": service["client_key"],
        "maxsize": 8,
    }
    if not service["validate_certs"]:  # said once, by the user: no warning with each request
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    proxy = None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
    return bound_pools(urllib3.ProxyManager(proxy, **trust) if proxy else urllib3.PoolManager(**trust))


def read_url(text: str) -> SplitResult:
    """The base URL of a service; SetupError, which does not repeat it, where it is none."""
    wanted = SetupError(
        "url must look like https://host[:port][/path], without credentials, query and fragment",
        "Correct the option url; credentials have options of their own",
    )
    try:
        url = urlsplit(text)
        _valid = url.port
    except ValueError as error:
        raise wanted from error
    if url.scheme not in {"http", "https"} or not url.hostname or {"@", "?", "#"} & set(text) or not text.isprintable():
        raise wanted
    return url
