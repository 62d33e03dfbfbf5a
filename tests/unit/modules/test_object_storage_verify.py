# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Object storage tried with each component's keys: what is put comes back and goes, and each cause has its name."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import object_storage_verify
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module
from tests.fakes.s3 import FakeS3, error, running_s3

SECRET = "/api/v1/namespaces/ias-system/secrets/tempo-s3"
KEYS = {"ACCESS": "the-access-key", "SECRET": "the-secret-key"}
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with running_s3("traces") as store:
        yield store


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.add(SECRET, data={key: base64.b64encode(value.encode()).decode() for key, value in KEYS.items()})
        yield kube


@pytest.fixture
def run(kube: FakeKube, s3: FakeS3, tmp_path: Path) -> Run:
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))

    def run(*, check: bool = False, **changes: Any) -> dict[str, Any]:
        store = {
            "component": "tempo",
            "endpoint": s3.endpoint,
            "region": "us-ord-1",
            "insecure": True,
            "buckets": ["traces"],
            "secrets": ["tempo-s3"],
            "access_key": "ACCESS",
            "secret_key": "SECRET",
        }
        return run_module(object_storage_verify, check=check, kubeconfig=kubeconfig, stores=[store | changes])

    return run


def found(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["id"], finding["object"]) for finding in result["findings"]]


def test_an_object_is_put_read_listed_and_deleted(run: Run, s3: FakeS3) -> None:
    result = run()
    assert result["findings"] == []
    assert result["summary"] == {"checked": 5, "passed": 5}
    assert s3.buckets == {"traces": {}}
    assert {headers["host"] for headers in s3.headers} == {s3.endpoint}
    assert all("Credential=the-access-key/" in headers["authorization"] for headers in s3.headers)
    assert KEYS["SECRET"] not in json.dumps([result, s3.headers])


@pytest.mark.parametrize(
    ("refusal", "identity", "said"),
    [
        ((403, "InvalidAccessKeyId"), "key", "the store does not know the access key of Secret tempo-s3"),
        ((403, "SignatureDoesNotMatch"), "secret-key", "the secret key of Secret tempo-s3 does not belong"),
        ((404, "NoSuchBucket"), "bucket", "bucket traces does not exist"),
        ((403, "AccessDenied"), "denied", "may not use bucket traces"),
        (
            (400, "AuthorizationHeaderMalformed"),
            "region",
            "us-ord-1 is not the region of bucket traces; the store says eu-1",
        ),
        ((301, "PermanentRedirect"), "region", "us-ord-1 is not the region"),
        ((403, "RequestTimeTooSkewed"), "clock", "this machine's clock is"),
        (
            (507, "QuotaExceeded"),
            "refused",
            "the store refuses objects for bucket traces (put: 507 QuotaExceeded said so)",
        ),
    ],
)
def test_each_cause_has_its_name(run: Run, s3: FakeS3, refusal: tuple[int, str], identity: str, said: str) -> None:
    s3.refusal = (refusal[0], error(refusal[1], "said so", Region="eu-1").decode())
    result = run()
    assert found(result) == [(f"object-storage/{identity}", "tempo/traces")]
    assert said in result["msg"]


def test_a_store_that_repeats_the_keys_does_not_make_us_repeat_them(run: Run, s3: FakeS3) -> None:
    s3.refusal = (403, error("AccessDenied", f"{KEYS['ACCESS']} with {KEYS['SECRET']} may not").decode())
    result = run()
    assert "*** with *** may not" in result["msg"]
    assert not [key for key in KEYS.values() if key in json.dumps(result)]


def test_a_clock_that_is_wrong_is_told_before_what_follows_from_it(run: Run, s3: FakeS3) -> None:
    s3.refusal = (403, error("SignatureDoesNotMatch", "no").decode())
    s3.date = formatdate(time() + 3600, usegmt=True)
    result = run()
    assert found(result) == [("object-storage/clock", "tempo/traces")]
    assert "seconds behind the store's" in result["msg"]


@pytest.mark.parametrize("answer", ["<html>proxy</html>", ""])
def test_what_speaks_no_s3_is_no_endpoint(run: Run, s3: FakeS3, answer: str) -> None:
    s3.refusal = (502, answer)
    result = run()
    assert found(result) == [("object-storage/endpoint", "tempo/traces")]
    assert "it answers 502 without an error of S3" in result["msg"]


def test_an_endpoint_where_nobody_listens(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"127.0.0.1:{closed.getsockname()[1]}"
    result = run(endpoint=endpoint)
    assert found(result) == [("object-storage/endpoint", "tempo/traces")]
    assert "refused" in result["msg"]


def test_an_endpoint_with_a_scheme_is_corrected(run: Run, s3: FakeS3) -> None:
    result = run(endpoint=f"https://{s3.endpoint}")
    assert found(result) == [("object-storage/endpoint", "tempo/traces")]
    assert "an endpoint is a host" in result["msg"]


def test_a_store_that_refuses_trailing_checksums_is_a_warning(run: Run, s3: FakeS3) -> None:
    s3.takes_trailers = False
    result = run()
    assert "failed" not in result
    assert found(result) == [("object-storage/trailers", "tempo/traces")]
    assert s3.buckets == {"traces": {}}


def test_a_store_that_loses_what_it_takes(run: Run, s3: FakeS3) -> None:
    s3.loses = True
    assert found(run()) == [("object-storage/refused", "tempo/traces")]


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "Secret tempo-s3 does not exist in namespace ias-system"),
        ({"ACCESS": "eA=="}, "Secret tempo-s3 in namespace ias-system has no key SECRET"),
    ],
)
def test_a_secret_that_is_not_there(run: Run, kube: FakeKube, s3: FakeS3, secret: Any, said: str) -> None:
    if secret is None:
        del kube.objects[SECRET]
    else:
        kube.objects[SECRET]["data"] = secret
    result = run()
    assert found(result) == [("object-storage/no-secret", "tempo")]
    assert said in result["msg"]
    assert (
        "kubectl create secret generic tempo-s3 -n ias-system --from-file=ACCESS=FILE --from-file=SECRET=FILE"
        in result["msg"]
    )
    assert s3.headers == []


def test_a_store_that_only_the_cluster_knows_is_reached_through_it(run: Run, kube: FakeKube, s3: FakeS3) -> None:
    ports = [{"name": "s3", "port": 7070}]
    kube.add("/api/v1/namespaces/storage/services/s3", spec={"ports": ports})
    kube.add(
        "/apis/discovery.k8s.io/v1/namespaces/storage/endpointslices/s3-1",
        metadata={"labels": {"kubernetes.io/service-name": "s3"}},
        ports=ports,
        endpoints=[{"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "s3-0"}}],
    )
    kube.ports["s3-0", 7070] = s3.port
    result = run(endpoint="s3.storage.svc:7070")
    assert result["findings"] == []
    assert {headers["host"] for headers in s3.headers} == {"s3.storage.svc:7070"}


def test_check_mode_only_lists(run: Run, s3: FakeS3) -> None:
    assert run(check=True)["summary"] == {"checked": 1, "passed": 1}
    assert len(s3.headers) == 1
    assert s3.headers[0]["x-amz-content-sha256"].startswith("e3b0c442")
