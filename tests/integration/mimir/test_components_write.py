# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loki, Tempo and Mimir put what they are given into the S3 server, each with its own keys out of its environment."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
import yaml

from ansible_collections.ias.observability.plugins.module_utils._otlp.span import Span
from tests.integration.mimir.conftest import await_true, free_port
from tests.lab import object_storage
from tests.unit.rendering import Object, merged, objects, program, render, values_files

CACHES = ("chunks-cache", "index-cache", "metadata-cache", "results-cache", "chunksCache", "resultsCache")
RING = {"kvstore": {"store": "inmemory"}, "replication_factor": 1}


def rendered(component: str, key: str, overlay: Object, folder: Path) -> Object:
    """The configuration that the chart renders for profile ha without caches, its paths below a folder."""
    file = folder / "overlay.yaml"
    file.write_text(yaml.safe_dump(overlay))
    (text,) = (
        one["data"][key]
        for one in objects(render(component, merged([*values_files(component, "ha"), file])))
        if one["kind"] == "ConfigMap" and key in one["data"]
    )
    for path in ("/var/loki", "/etc/loki/runtime-config", "/var/tempo", "/var/mimir", "/active-query-tracker"):
        text = text.replace(path, str(folder / path.strip("/").replace("/", "-")))
    found: Object = yaml.safe_load(text)
    return found


@contextmanager
def running(name: str, config: Object, folder: Path, port: int, *flags: str) -> Iterator[str]:
    """The program with its keys in its environment; gives its URL once it is ready."""
    file, log, url = folder / f"{name}.yaml", folder / f"{name}.log", f"http://127.0.0.1:{port}"
    file.write_text(yaml.safe_dump(config))
    environment = os.environ | object_storage.component_keys(name)
    with log.open("w") as said:
        process = subprocess.Popen(
            [program(name), f"-config.file={file}", "-config.expand-env=true", *flags],
            env=environment, stdout=said, stderr=said, cwd=folder,
        )  # fmt: skip
        try:
            await_true(lambda: answers(f"{url}/ready") or process.poll() is not None, f"{name} is ready: see {log}", 60)
            assert process.poll() is None, log.read_text()[-3000:]
            yield url
        finally:
            process.kill()
            process.wait(10)


def answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=5, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def post(url: str, body: Any = None) -> None:
    answer = urllib3.request("POST", url, json=body, timeout=30, retries=False)
    assert answer.status < 300, f"{url}: {answer.status} {answer.data[:500]!r}"


def server(port: int) -> Object:
    return {
        "http_listen_address": "127.0.0.1",
        "http_listen_port": port,
        "grpc_listen_address": "127.0.0.1",
        "grpc_listen_port": free_port(),
    }


def files(folder: Path, bucket: str) -> list[Path]:
    return [path for path in (folder / bucket).rglob("*") if path.is_file()]


def test_loki(tmp_path: Path, endpoint: str, objects_folder: Path) -> None:
    connection = {"endpoint": endpoint, "insecure": True}
    overlay = {
        "loki": {"storage": {"object_store": {"s3": connection}}, "commonConfig": {"replication_factor": 1}},
        "singleBinary": {"replicas": 1},
        **{name: {"enabled": False} for name in CACHES[4:]},
    }
    config, port = rendered("loki", "config.yaml", overlay, tmp_path), free_port()
    config["server"] = server(port)
    config["common"] |= {"ring": RING, "instance_addr": "127.0.0.1"}
    del config["memberlist"], config["runtime_config"]
    with running("loki", config, tmp_path, port) as url:
        values = [[str(time.time_ns()), "a line for the object store"]]
        post(f"{url}/loki/api/v1/push", {"streams": [{"stream": {"app": "canary"}, "values": values}]})
        post(f"{url}/flush")
        await_true(lambda: bool(files(objects_folder / "ias-loki-chunks", "fake")), "a chunk is in the bucket")


def test_tempo(tmp_path: Path, endpoint: str, objects_folder: Path) -> None:
    overlay = {"tempo": {"storage": {"trace": {"s3": {"endpoint": endpoint, "insecure": True}}}}}
    config, port, otlp = rendered("tempo", "tempo.yaml", overlay, tmp_path), free_port(), free_port()
    config["server"] = server(port)
    config["distributor"]["receivers"] = {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp}"}}}}
    config["metrics_generator"]["storage"]["remote_write"] = []
    config["memberlist"] = {"bind_addr": ["127.0.0.1"], "bind_port": free_port()}
    config["ingester"] = {"lifecycler": {"address": "127.0.0.1", "ring": RING}}
    with running("tempo", config, tmp_path, port) as url:
        now = time.time()
        span = Span("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", now - 1, now, (("canary.id", "x"),))
        post(f"http://127.0.0.1:{otlp}/v1/traces", span.as_json())
        await_true(lambda: answers(f"{url}/api/traces/{span.trace_id}"), "the trace is known")
        post(f"{url}/flush")
        await_true(lambda: bool(files(objects_folder, "ias-tempo-traces")), "a block is in the bucket", 60)


def test_mimir(tmp_path: Path, endpoint: str, objects_folder: Path) -> None:
    """Distributor and ingester in one process: what the distributor takes the ingester ships."""
    connection = {"endpoint": endpoint, "insecure": True}
    overlay = {
        "mimir": {"structuredConfig": {"common": {"storage": {"s3": connection}}}},
        **{name: {"enabled": False} for name in CACHES[:4]},
    }
    config, port = rendered("mimir", "mimir.yaml", overlay, tmp_path), free_port()
    config["server"] = server(port)
    config["ingester"]["ring"] |= RING | {"instance_addr": "127.0.0.1", "tokens_file_path": str(tmp_path / "tokens")}
    config["distributor"] |= {"ring": {"kvstore": RING["kvstore"], "instance_addr": "127.0.0.1"}}
    config["memberlist"] = {"bind_addr": ["127.0.0.1"], "bind_port": free_port()}
    config["blocks_storage"]["tsdb"]["dir"] = str(tmp_path / "tsdb")
    config["blocks_storage"]["bucket_store"]["sync_dir"] = str(tmp_path / "sync")
    del config["runtime_config"], config["activity_tracker"]
    with running("mimir", config, tmp_path, port, "-target=distributor,ingester") as url:
        now = int(time.time())
        point = {"timeUnixNano": str(now * 10**9), "asDouble": now}
        metric = {"name": "canary", "gauge": {"dataPoints": [point]}}
        post(f"{url}/otlp/v1/metrics", {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
        post(f"{url}/ingester/flush?wait=true")
        await_true(
            lambda: any(path.name == "meta.json" for path in files(objects_folder, "ias-mimir-blocks")),
            "a block is in the bucket",
        )
