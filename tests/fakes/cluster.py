# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small cluster in which nothing is wrong."""

from __future__ import annotations

from tests.fakes.kube import FakeKube


def add_healthy_cluster(kube: FakeKube) -> None:
    kube.serves |= {"/apis/storage.k8s.io/v1/storageclasses", "/api/v1/nodes"}
    kube.add(
        "/api/v1/nodes/worker",
        status={
            "conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
        },
    )
    kube.add(
        "/apis/storage.k8s.io/v1/storageclasses/fast",
        provisioner="fast.example.com",
        metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    )
