# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator gives a Prometheus to scrape: the monitors that its selectors choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._kube import ApiError

if TYPE_CHECKING:
    from .._kube import Cluster

_GROUP = "/apis/monitoring.coreos.com/v1"
_ENDPOINTS = {"serviceMonitor": "endpoints", "podMonitor": "podMetricsEndpoints"}


@dataclass(frozen=True, slots=True)
class Monitor:
    """A ServiceMonitor or a PodMonitor; `kind` begins small, as the operator writes it."""

    kind: str
    namespace: str
    name: str
    ports: tuple[str, ...] = ("",)
    """Of each of its endpoints the port as it is written, "" where it has another way to say it."""

    @property
    def pools(self) -> list[str]:
        """The scrape pools that the operator makes of it, one for each endpoint."""
        return [f"{self.kind}/{self.namespace}/{self.name}/{number}" for number in range(len(self.ports))]

    def __str__(self) -> str:
        return f"{self.kind[0].upper()}{self.kind[1:]} {self.namespace}/{self.name}"


def selected(cluster: Cluster, namespace: str) -> list[Monitor]:
    """The monitors that the Prometheus objects of the namespace select; none where no operator runs it."""
    found: dict[Monitor, None] = {}
    for prometheus in _items(cluster.items, f"{_GROUP}/namespaces/{namespace}/prometheuses"):
        spec = prometheus.get("spec") or {}
        for kind, endpoints in _ENDPOINTS.items():
            # what is not there selects nothing, what is empty everything
            if (selector := spec.get(f"{kind}Selector")) is not None:
                spaces = _namespaces(cluster, namespace, spec.get(f"{kind}NamespaceSelector"))
                for item in _items(cluster.items, f"{_GROUP}/{kind.lower()}s", selector):
                    metadata, written = item["metadata"], (item.get("spec") or {}).get(endpoints) or [{}]
                    if spaces is None or metadata["namespace"] in spaces:
                        ports = tuple(str(entry.get("port") or entry.get("targetPort") or "") for entry in written)
                        found[Monitor(kind, metadata["namespace"], metadata["name"], ports)] = None
    return list(found)


def _namespaces(cluster: Cluster, own: str, selector: Mapping[str, Any] | None) -> set[str] | None:
    """Where it looks; None for everywhere. Without a selector it looks in its own namespace."""
    if selector is None:
        return {own}
    if not label_selector(selector):
        return None
    return {item["metadata"]["name"] for item in _items(cluster.names, "/api/v1/namespaces", selector)}


def _items(
    read: Callable[..., Iterator[dict[str, Any]]], path: str, selector: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """A list as `read` reads it, empty where the API does not know the kind."""
    text = label_selector(selector or {})
    try:
        yield from read(path, **({"labelSelector": text} if text else {}))
    except ApiError as error:
        if error.status != 404:
            raise


def label_selector(selector: Mapping[str, Any]) -> str:
    """A LabelSelector as the API's query takes it."""
    terms = [f"{name}={value}" for name, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or []:
        name, values = expression["key"], ",".join(expression.get("values") or [])
        terms.append(
            {"In": f"{name} in ({values})", "NotIn": f"{name} notin ({values})", "DoesNotExist": f"!{name}"}.get(
                expression["operator"], name
            )
        )
    return ",".join(terms)
