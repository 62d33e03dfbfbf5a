# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard's template variables, the same in every dashboard."""

from __future__ import annotations

from typing import Any

from ..._contract.aliases import MetricAliases

Object = dict[str, Any]

SOURCES = {
    "prometheus": ("Metrics", "Prometheus"),
    "loki": ("Logs", "Loki"),
    "tempo": ("Traces", "Tempo"),
}
# name: (label, query); the query is Prometheus', with the contract's names
QUERIES = {
    "namespace": ("Namespace", "label_values(up, namespace)"),
    "job": ("Service", 'label_values(http_requests_total{namespace=~"$namespace"}, job)'),
    "route": ("Route", 'label_values(http_requests_total{namespace=~"$namespace", job="user-service"}, route)'),
    "model": ("Model", 'label_values(router_requests_total{namespace=~"$namespace"}, model)'),
    "organization": ("Organization", 'label_values(router_requests_total{namespace=~"$namespace"}, organization)'),
    "model_name": ("Model", 'label_values(vllm:num_requests_running{namespace=~"$namespace"}, model_name)'),
    "gpu": ("GPU", "label_values(gpu:temperature:celsius, gpu)"),
    "datname": ("Database", 'label_values(pg_stat_database_numbackends{namespace=~"$namespace"}, datname)'),
    "traced": ("Service", "label_values(traces_spanmetrics_calls_total, service)"),
}
# name: (label, label of Loki's streams, selector)
STREAMS = {"service": ("Service", "service_name", '{namespace=~"$namespace"}')}
TEXTS = {"search": "Search in lines"}
NAMES = (*SOURCES, *QUERIES, *STREAMS, *TEXTS)


def datasource(kind: str) -> Object:
    return {"type": kind, "uid": f"${{{kind}}}"}


def variable(name: str, names: MetricAliases) -> Object:
    """A data source; what Prometheus or Loki lists, several or All of them; or a text to type."""
    if name in SOURCES:
        label, source = SOURCES[name]
        return {
            "name": name,
            "hide": 0,
            "type": "datasource",
            "query": name,
            "label": label,
            "current": {"text": source, "value": name},
        }
    if name in TEXTS:
        empty = {"text": "", "value": ""}
        return {"name": name, "hide": 0, "type": "textbox", "label": TEXTS[name], "query": "", "current": empty}
    if name in STREAMS:
        label, values_of, stream = STREAMS[name]
        label_query: Object = {"label": values_of, "refId": name, "stream": stream, "type": 1}
        listed = {"datasource": datasource("loki"), "query": label_query, "definition": ""}
    else:
        label, query = QUERIES[name][0], names.apply(QUERIES[name][1])
        listed = {"datasource": datasource("prometheus"), "query": {"query": query, "refId": name}, "definition": query}
    return {
        "name": name,
        "hide": 0,
        "type": "query",
        "label": label,
        **listed,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",  # Loki refuses a selector of which every matcher takes the empty value
        "current": {"text": ["All"], "value": ["$__all"]},
    }
