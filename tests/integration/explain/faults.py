# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong on the site, as configurations and data of the real programs."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.lab.grafana.testing import Double
from tests.unit._causes.states import HOME

SCRAPE_SECONDS = 2
SLOW_SECONDS = 1.5
SAMPLED, UNSAMPLED = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b74bf92f3577b34da6"
METRICS = {
    "web": 'requests_total{model="llama-3-70b"} 5\nrequests_total{model="mistral-7b"} 3\nlimit{tier="gold"} 9\n',
    "renamed": "gateway_requests_done_total 7\n",
    "dropper": "dropped_total 3\nkept 1\n",
    "sampled": "one 1\ntwo 2\nthree 3\n",
    "labelled": 'wide{a="1",b="2",c="3",d="4",e="5"} 1\n',
}
JOBS = ("web", "renamed", "dropper", "sampled", "labelled", "slow", "closed", "missing-path")
LIMITS: Mapping[str, dict[str, Any]] = {
    "sampled": {"sample_limit": 1},
    "labelled": {"label_limit": 4},
    "slow": {"scrape_timeout": "1s"},
    "dropper": {"metric_relabel_configs": [{"action": "drop", "source_labels": ["__name__"], "regex": "dropped_.*"}]},
}
PANELS: Mapping[str, tuple[str, str]] = {
    "healthy": ("prometheus", "sum(rate(requests_total[1m]))"),
    "label": ("prometheus", 'sum by (model) (rate(requests_total{modle="llama-3-70b"}[1m]))'),
    "value": ("prometheus", 'sum(requests_total{job="web", model="lama-3-70b"})'),
    "renamed": ("prometheus", "sum(rate(gateway_requests_total[1m]))"),
    "dropped": ("prometheus", "sum(dropped_total)"),
    "window": ("prometheus", "sum(rate(requests_total[1s]))"),
    "retention": ("prometheus", "sum(requests_total offset 30d)"),
    "join": ("prometheus", "sum by (model) (requests_total) / sum by (tier) (limit)"),
    "scaled": ("prometheus", "sum(scaled_total)"),
    "variable": ("prometheus", 'requests_total{model=~"$model"}'),
    "uid": ("promethius", "up"),
    "unreachable": ("unreachable", "up"),
    "tenant": ("tenant", '{app="web"}'),
    "stream": ("loki", '{app="wbe"}'),
    "stage": ("loki", '{app="web"} | json | levle="error"'),
    "derived": ("linked", '{app="web"}'),
    "span": ("tempo", '{ resource.service.name = "web" && name = "POST /v2/chat" }'),
}
RULES = {
    "groups": [
        {
            "name": "site",
            "interval": "1s",
            "rules": [
                {"alert": "Quiet", "expr": "limit > 100"},
                {"alert": "Blind", "expr": "sum(rate(gateway_requests_total[5m])) == 0"},
                *(
                    {"alert": name, "expr": "limit > 1", "labels": {"route": name.lower()}}
                    for name in ("Silenced", "Cause", "Inhibited", "Rejected", "Broken", "Nobody", "Delivered")
                ),
            ],
        }
    ]
}


def answer(job: str) -> tuple[int, str]:
    """What the job's path answers to a scrape, or to a notification."""
    statuses = {"missing-path": 404, "rejected": 403, "broken": 503, "delivered": 200, "tenant": 401}
    if job in statuses:
        return statuses[job], "no org id\n" if job == "tenant" else "\n"
    return 200, METRICS.get(job, "fine 1\n")


def configurations(folder: Path, ports: Mapping[str, int]) -> dict[str, Path]:
    """Program → the file that it reads."""
    contents = {
        "rules": RULES,
        "services": contract(),
        "prometheus": prometheus(folder, ports),
        "alertmanager": alertmanager(ports),
        "loki": loki(folder, ports),
        "tempo": tempo(folder, ports),
    }
    files = {name: folder / f"{name}.yaml" for name in contents}
    for name, content in contents.items():
        files[name].write_text(yaml.safe_dump(content))
    return files


def contract() -> dict[str, Any]:
    """Which job should expose what."""
    metric = {"type": "counter", "unit": "requests", "help": "Requests."}
    metrics = {"renamed": "gateway_requests_total", "scaled": "scaled_total", "dropper": "dropped_total"}
    return {"services": {name: {"job": name, "metrics": {own: metric}} for name, own in metrics.items()}}


def prometheus(folder: Path, ports: Mapping[str, int]) -> dict[str, Any]:
    jobs = []
    for name in JOBS:
        port = ports["closed" if name == "closed" else "exporter"]
        labels = {"job": name, "namespace": HOME, "pod": f"{name}-1"}
        jobs.append(
            {
                "job_name": f"serviceMonitor/{HOME}/{name}/0",
                "metrics_path": f"/{name}/metrics",
                "scrape_interval": f"{SCRAPE_SECONDS}s",
                "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": labels}],
                **LIMITS.get(name, {}),
            }
        )
    managers = [{"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}]
    return {
        "global": {"scrape_timeout": "1s", "scrape_interval": "2s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yaml")],
        "alerting": {"alertmanagers": managers},
        "scrape_configs": jobs,
    }


def alertmanager(ports: Mapping[str, int]) -> dict[str, Any]:
    names = ("rejected", "broken", "delivered")
    address = f"http://127.0.0.1:{ports['exporter']}"
    receivers = [{"name": name, "webhook_configs": [{"url": f"{address}/{name}"}]} for name in names]
    routes = [{"receiver": name, "matchers": [f'route="{name}"']} for name in (*names, "nobody")]
    times = {"group_wait": "1s", "group_interval": "1s", "repeat_interval": "1m"}
    inhibition = {"source_matchers": ['route="cause"'], "target_matchers": ['route="inhibited"']}
    return {
        "route": {"receiver": "delivered", "routes": routes, "group_by": ["alertname"], **times},
        "receivers": [*receivers, {"name": "nobody"}],
        "inhibit_rules": [inhibition],
    }


def loki(folder: Path, ports: Mapping[str, int]) -> dict[str, Any]:
    ring = {"kvstore": {"store": "inmemory"}}
    schema = {"from": "2024-01-01", "store": "tsdb", "object_store": "filesystem", "schema": "v13"}
    return {
        "auth_enabled": False,
        "server": {
            "http_listen_port": ports["loki"],
            "grpc_listen_port": ports["loki_grpc"],
            "http_listen_address": "127.0.0.1",
            "grpc_listen_address": "127.0.0.1",
        },
        "common": {
            "instance_addr": "127.0.0.1",
            "path_prefix": str(folder / "loki"),
            "replication_factor": 1,
            "ring": ring,
            "storage": {
                "filesystem": {"chunks_directory": str(folder / "chunks"), "rules_directory": str(folder / "r")}
            },
        },
        "schema_config": {"configs": [schema | {"index": {"prefix": "i_", "period": "24h"}}]},
        "analytics": {"reporting_enabled": False},
    }


def tempo(folder: Path, ports: Mapping[str, int]) -> dict[str, Any]:
    http = {"http": {"endpoint": f"127.0.0.1:{ports['otlp']}"}}
    return {
        "server": {
            "http_listen_port": ports["tempo"],
            "grpc_listen_port": ports["tempo_grpc"],
            "http_listen_address": "127.0.0.1",
            "grpc_listen_address": "127.0.0.1",
        },
        "distributor": {"receivers": {"otlp": {"protocols": http}}},
        "ingester": {
            "lifecycler": {"address": "127.0.0.1", "ring": {"kvstore": {"store": "inmemory"}, "replication_factor": 1}}
        },
        "storage": {
            "trace": {
                "backend": "local",
                "wal": {"path": str(folder / "wal")},
                "local": {"path": str(folder / "blocks")},
            }
        },
        "usage_report": {"reporting_enabled": False},
    }


def dashboards(double: Double, url: Callable[[str], str]) -> None:
    sources = {
        "prometheus": ("prometheus", url("prometheus")),
        "unreachable": ("prometheus", f"http://nowhere.{HOME}.svc:80"),
        "loki": ("loki", url("loki")),
        "linked": ("loki", url("loki")),
        "tenant": ("loki", f"{url('exporter')}/tenant"),
        "tempo": ("tempo", url("tempo")),
    }
    with double.client() as client:
        for uid, (kind, address) in sources.items():
            body: dict[str, Any] = {"uid": uid, "name": uid.title(), "type": kind, "url": address, "access": "proxy"}
            if uid == "linked":
                field = {"name": "trace_id", "matcherRegex": "trace_id", "datasourceUid": "jaeger"}
                body["jsonData"] = {"derivedFields": [field]}
            client.post("/api/datasources", json=body).raise_for_status()
        panels = [
            {
                "id": number,
                "title": name,
                "type": "timeseries",
                "gridPos": {"x": 0, "y": number, "w": 6, "h": 1},
                "datasource": {"uid": uid},
                "targets": [_target(uid, text)],
            }
            for number, (name, (uid, text)) in enumerate(PANELS.items(), 1)
        ]
        variable = {"name": "model", "type": "query", "query": "label_values(requests_done_total, model)"}
        variable |= {"datasource": {"uid": "prometheus", "type": "prometheus"}}
        spec = {"uid": "faults", "title": "Site faults", "schemaVersion": 39, "panels": panels}
        spec["templating"] = {"list": [variable]}
        client.post("/api/dashboards/db", json={"dashboard": spec}).raise_for_status()


def _target(uid: str, text: str) -> dict[str, Any]:
    if uid == "tempo":
        return {"refId": "A", "queryType": "traceql", "query": text}
    return {"refId": "A", "expr": text, **({"range": True} if uid in {"prometheus", "loki"} else {})}


def send(url: Callable[[str], str]) -> None:
    """Lines into Loki, one of them of a trace that no span was sent of, and a span into Tempo."""
    now = time.time_ns()
    fields = {"trace_id": UNSAMPLED}
    values = [[str(now), '{"level": "info", "msg": "hello"}'], [str(now + 1), '{"level": "info"}', fields]]
    labels = {"app": "web", "service_name": "web", "namespace": HOME}
    push = {"streams": [{"stream": labels, "values": values}]}
    httpx.post(f"{url('loki')}/loki/api/v1/push", json=push).raise_for_status()
    times = {"startTimeUnixNano": str(now - 10**9), "endTimeUnixNano": str(now)}
    span = {"traceId": SAMPLED, "spanId": "00f067aa0ba902b7", "name": "POST /v1/chat", "kind": 2, **times}
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]}
    body = {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span]}]}]}
    httpx.post(f"{url('otlp')}/v1/traces", json=body).raise_for_status()


def silence(alertmanager: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    matcher = {"name": "alertname", "value": "Silenced", "isRegex": False, "isEqual": True}
    body = {"matchers": [matcher], "createdBy": "ops", "comment": "maintenance"}
    body |= {"startsAt": now.isoformat(), "endsAt": (now + datetime.timedelta(hours=1)).isoformat()}
    httpx.post(f"{alertmanager}/api/v2/silences", json=body).raise_for_status()
    filters = {"filter": 'alertname="Silenced"'}
    for _attempt in range(60):
        held = httpx.get(f"{alertmanager}/api/v2/alerts", params=filters).json()
        if held and held[0]["status"]["state"] == "suppressed":
            return
        time.sleep(0.2)


def scraped(url: Callable[[str], str]) -> bool:
    targets = httpx.get(f"{url('prometheus')}/api/v1/targets").json()["data"]["activeTargets"]
    return all(target["health"] != "unknown" for target in targets)


def counted(url: Callable[[str], str]) -> bool:
    query = {"query": "count_over_time(requests_total[1m]) > 8"}
    return bool(httpx.get(f"{url('prometheus')}/api/v1/query", params=query).json()["data"]["result"])


def stored(url: Callable[[str], str]) -> bool:
    query = {"query": 'sum(count_over_time({app="web"} [5m]))'}
    return bool(httpx.get(f"{url('loki')}/loki/api/v1/query", params=query).json()["data"]["result"])


def traced(url: Callable[[str], str]) -> bool:
    return bool(httpx.get(f"{url('tempo')}/api/search", params={"q": "{ }"}).json().get("traces"))


def notified(url: Callable[[str], str]) -> bool:
    metrics = httpx.get(f"{url('alertmanager')}/metrics").text
    failed = [
        line for line in metrics.splitlines() if line.startswith("alertmanager_notification_requests_failed_total")
    ]
    alerts = httpx.get(f"{url('alertmanager')}/api/v2/alerts").json()
    return len(alerts) >= 7 and sum(float(line.split()[-1]) for line in failed) >= 2


def refused(url: Callable[[str], str]) -> bool:
    """Each kind of refusal, in the counters by reason: those of a client's fault are not tried again."""
    metrics = httpx.get(f"{url('alertmanager')}/metrics").text
    lines = [line for line in metrics.splitlines() if line.startswith("alertmanager_notifications_failed_total")]
    return any('reason="clientError"' in line and not line.endswith(" 0") for line in lines)


SHOWN = (refused, scraped, counted, stored, traced, notified)
