# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import ApiError, Cluster, connect
from ansible_collections.ias.observability.plugins.module_utils._kube.monitors import label_selector, selected
from tests.fakes.kube import FakeKube

GROUP = "/apis/monitoring.coreos.com/v1"
ALL = {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}, "podMonitorSelector": {}}


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        for space, team in (("ias-system", "platform"), ("shop", "shop")):
            kube.add(f"/api/v1/namespaces/{space}", metadata={"labels": {"team": team}})
            kube.add(f"{GROUP}/namespaces/{space}/servicemonitors/web", metadata={"labels": {"team": team}})
            kube.add(f"{GROUP}/namespaces/{space}/podmonitors/jobs")
        yield kube


def names(kube: FakeKube, folder: Path) -> list[str]:
    kubeconfig = str(kube.write_kubeconfig(folder / "kubeconfig"))
    return [str(monitor) for monitor in selected(Cluster(connect({"kubeconfig": kubeconfig})), "ias-system")]


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, []),
        (ALL, ["ServiceMonitor ias-system/web", "ServiceMonitor shop/web", "PodMonitor ias-system/jobs"]),
        ({"serviceMonitorSelector": {}}, ["ServiceMonitor ias-system/web"]),
        (
            ALL | {"serviceMonitorSelector": {"matchLabels": {"team": "shop"}}, "podMonitorSelector": None},
            ["ServiceMonitor shop/web"],
        ),
        (
            {
                "serviceMonitorSelector": {},
                "serviceMonitorNamespaceSelector": {"matchLabels": {"team": "shop"}},
            },
            ["ServiceMonitor shop/web"],
        ),
    ],
)
def test_the_selectors_of_the_prometheus_choose(
    spec: dict[str, Any], wanted: list[str], kube: FakeKube, tmp_path: Path
) -> None:
    kube.add(f"{GROUP}/namespaces/ias-system/prometheuses/prometheus", spec=spec)
    assert names(kube, tmp_path) == wanted


def test_each_endpoint_is_a_scrape_pool(kube: FakeKube, tmp_path: Path) -> None:
    kube.add(f"{GROUP}/namespaces/ias-system/prometheuses/prometheus", spec={"podMonitorSelector": {}})
    endpoints = [{"port": "http"}, {"targetPort": 81}, {}]
    kube.add(f"{GROUP}/namespaces/ias-system/podmonitors/jobs", spec={"podMetricsEndpoints": endpoints})
    kubeconfig = str(kube.write_kubeconfig(tmp_path / "kubeconfig"))
    (monitor,) = selected(Cluster(connect({"kubeconfig": kubeconfig})), "ias-system")
    assert monitor.ports == ("http", "81", "")
    assert monitor.pools == [f"podMonitor/ias-system/jobs/{number}" for number in range(3)]


def test_without_an_operator_there_are_none(tmp_path: Path) -> None:
    with FakeKube() as kube:
        assert names(kube, tmp_path) == []


def test_an_api_that_refuses_is_told(kube: FakeKube, tmp_path: Path) -> None:
    kube.add(f"{GROUP}/namespaces/ias-system/prometheuses/prometheus", spec=ALL)
    kube.denied.add(("list", "servicemonitors"))
    with pytest.raises(ApiError, match="servicemonitors is forbidden"):
        names(kube, tmp_path)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({}, ""),
        ({"matchLabels": {"a": "b", "c": "d"}}, "a=b,c=d"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]}, "a in (b,c)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, "a notin (b)"),
        ({"matchLabels": {"x": "y"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}, "x=y,a"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "!a"),
    ],
)
def test_a_selector_as_the_api_takes_it(selector: dict[str, Any], text: str) -> None:
    assert label_selector(selector) == text
