# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's objects: what Prometheus, Tempo and the readiness probes need to find."""

from __future__ import annotations

from tests.lab import images, workloads

OBJECTS = workloads.objects()


def of(kind: str) -> dict[str, workloads.Object]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


def test_every_part_has_a_service_that_finds_its_pods() -> None:
    deployments = of("Deployment")
    for name, service in of("Service").items():
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        container = deployments[name]["spec"]["template"]["spec"]["containers"][0]
        assert service["spec"]["ports"][0]["targetPort"] in {port["name"] for port in container["ports"]}


def test_users_of_the_platform_serve_nothing() -> None:
    assert set(of("Deployment")) - set(of("Service")) == {workloads.LOAD}
    assert "readinessProbe" not in of("Deployment")[workloads.LOAD]["spec"]["template"]["spec"]["containers"][0]


def test_the_platforms_image_is_one_of_the_table() -> None:
    assert workloads.IMAGE in {name for row in images.table() for name in row.names}
