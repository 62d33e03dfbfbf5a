# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to a Kubernetes API, as plain JSON.

Credentials come the way kubernetes.core takes them (options, then K8S_AUTH_* variables, then the pod's own
account, then the default kubeconfig), so that one set of options means the same in every task of a play.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ansible_collections.kubernetes.core.plugins.module_utils.k8s import client as core

from .._http.deadline import NO_DEADLINE, Deadline
from .._http.sockets import bound_pools
from .._http.transport import NoAnswerError, Transport
from .._json import read_json
from .arguments import AUTH_ARGS
from .errors import ApiError, KubeError, SetupError, refused, unreachable

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

MISSING = ""
try:
    import kubernetes
    import yaml
except ImportError as missing:  # reported by connect()
    MISSING = missing.name or str(missing)

Object = dict[str, Any]
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE = 500
READ_SECONDS = 60.0


def connect(params: Mapping[str, Any]) -> ApiClient:
    """Read the credentials that `params` (a module's parameters) name. Asks the API nothing."""
    if MISSING:
        raise SetupError(f"the Python library {MISSING} is missing", "Install kubernetes >= 24.2")
    unusable = (kubernetes.config.ConfigException, yaml.YAMLError)
    options = {name: params[name] for name in AUTH_ARGS if params.get(name) is not None}
    auth = core._create_auth_spec(**options)
    _require_file(auth.get("kubeconfig"))
    try:
        client = kubernetes.client.ApiClient(core._create_configuration(auth))
        bound_pools(client.rest_client.pool_manager)
        for name, value in core._create_headers(**options).items():
            client.default_headers[name] = ",".join(value) if isinstance(value, list) else value
    except (*unusable, OSError, TypeError, ValueError, KeyError, AttributeError) as error:
        source = auth.get("kubeconfig")
        what = f"the kubeconfig {source}" if isinstance(source, str) else "the default kubeconfig"
        raise SetupError(
            f"{what} cannot be used: {_one_line(error)}",
            "Set the option kubeconfig or K8S_AUTH_KUBECONFIG to a valid file",
        ) from error
    return client


class Cluster:
    """One API server. Every call is bounded in time and raises KubeError, or ApiError when the API says no."""

    def __init__(self, client: ApiClient, deadline: Deadline = NO_DEADLINE) -> None:
        self.client = client
        self.deadline = deadline
        self.host: str = client.configuration.host
        self._date = ""

    def get(self, path: str, **query: str) -> Object:
        """Read one object."""
        return self._json("GET", path, query)

    def find(self, path: str, **query: str) -> Object | None:
        """Read one object, or None where there is none (or the API does not know its kind)."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, **query: str) -> Iterator[Object]:
        """Read a list, page by page."""
        return self._pages(path, query, JSON)

    def names(self, path: str, **query: str) -> Iterator[Object]:
        """Read a list of which only the metadata is wanted."""
        return self._pages(path, query, METADATA)

    def text(self, path: str, **query: str) -> str:
        """Read something that is not JSON: a log."""
        return self._send("GET", path, query, accept="text/plain, */*").decode("utf-8", "replace")

    def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Create an object (ApiError 409 where there is one of its name), or ask a review."""
        return self._json("POST", path, _dry_run(dry_run), body=body)

    def apply(self, path: str, body: Object, *, manager: str, dry_run: bool) -> Object:
        """Server-side apply, taking over fields that another manager holds. Returns the object as it is afterwards."""
        query = {"fieldManager": manager, "force": "true", **_dry_run(dry_run)}
        return self._json("PATCH", path, query, body=body, kind=APPLY)

    def patch(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Merge `body` into an object; with a resourceVersion in it, only if nobody has changed it since (409)."""
        return self._json("PATCH", path, _dry_run(dry_run), body=body, kind=MERGE)

    def delete(self, path: str, version: str) -> None:
        """Delete an object that nobody has changed since `version`, its resourceVersion (ApiError 409)."""
        preconditions = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": version}}
        self._json("DELETE", path, {}, body=preconditions)

    def delete_all(self, collection: str, labels: Mapping[str, str]) -> None:
        """Delete the objects with these labels, and in time what they own."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        self._json("DELETE", collection, {"labelSelector": selector}, body=options)

    def server_time(self) -> float:
        """Seconds since the epoch by the API server's clock at its last answer; by ours where it did not say."""
        try:
            return float(parsedate_to_datetime(self._date).timestamp())
        except (ValueError, TypeError):
            return time.time()

    def _pages(self, path: str, query: Mapping[str, str], accept: str) -> Iterator[Object]:
        token = ""
        while True:
            page_query = {**query, "limit": str(PAGE), **({"continue": token} if token else {})}
            page = self._json("GET", path, page_query, accept=accept)
            yield from page.get("items") or []
            token = page.get("metadata", {}).get("continue") or ""
            if not token:
                return

    def _json(self, method: str, path: str, query: Mapping[str, str], **content: Any) -> Object:
        answer = self._send(method, path, query, **content)
        try:
            value = read_json(answer)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            message = f"{self.host} does not answer like a Kubernetes API ({path}: {answer[:60]!r})"
            raise KubeError(message, "Check the server address")
        return value

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Object | None = None,
        kind: str = JSON,
        accept: str = JSON,
    ) -> bytes:
        url = self.host.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        transport = Transport(self.client.rest_client.pool_manager, self.deadline, READ_SECONDS)
        headers = {**self._headers(), "Content-Type": kind, "Accept": accept}
        content = None if body is None else json.dumps(body).encode()
        try:
            # Everything sent from here can be sent twice: reads, reviews, applies, and patches of one known version.
            answer = transport.send(method, url, headers, content, repeatable=True)
        except NoAnswerError as error:
            raise unreachable(self.host, str(error)) from error
        self._date = answer.headers.get("Date", "")
        if answer.status >= 300:
            raise refused(answer.status, answer.data, method, self.host + path)
        return answer.data

    def _headers(self) -> dict[str, str]:
        return {**self.client.default_headers, **authorization(self.client)}


def _dry_run(wanted: bool) -> dict[str, str]:
    return {"dryRun": "All"} if wanted else {}


def authorization(client: ApiClient) -> dict[str, str]:
    """The authorization header, fetched anew each time: tokens expire, and the library renews them here."""
    token = client.configuration.auth_settings().get("BearerToken", {}).get("value")
    return {"authorization": token} if token else {}


def _require_file(kubeconfig: object) -> None:
    """The library does not say which file it missed."""
    if not isinstance(kubeconfig, str):
        return
    if "\n" in kubeconfig or "{" in kubeconfig:
        raise SetupError(
            "the option kubeconfig is a text that is no path", "Give the path of the file, or its content as a mapping"
        )
    files = [Path(name).expanduser() for name in kubeconfig.split(os.pathsep) if name]
    if not any(file.exists() for file in files):
        raise SetupError(
            f"the kubeconfig {kubeconfig} does not exist", "Set the option kubeconfig or K8S_AUTH_KUBECONFIG"
        )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
