# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any moment is mended by the next one.

The moments follow each other in one deployment: each run begins where a killed one left off, and dies a step later.
"""

from __future__ import annotations

import pytest

from tests.integration.kill.conftest import RELEASES, Lab, Site, awaited, changed

DEFINITIONS = "TASK [ias.observability.release : Apply the definitions"
OPTIONS = {
    "install": [],
    # Something harmless in every release, so that each is upgraded.
    "upgrade": [
        "-e",
        '{"prometheus_values": {"prometheus": {"prometheusSpec": {"scrapeInterval": "20s"}}},'
        ' "loki_values": {"singleBinary": {"podAnnotations": {"killed": "yes"}}},'
        ' "loki_alloy_values": {"controller": {"podAnnotations": {"killed": "yes"}}},'
        ' "tempo_values": {"podAnnotations": {"killed": "yes"}}}',
    ],
}


@pytest.fixture(scope="module", autouse=True)
def fresh(lab: Lab) -> None:
    lab.clear()


def test_killed_around_the_definitions(lab: Lab) -> None:
    site = Site()
    site.until(DEFINITIONS)
    site.kill()
    assert lab.definitions() == set()
    site = Site()
    site.until(DEFINITIONS)
    awaited(lambda: len(lab.definitions()) > 0)
    site.kill()
    site = Site()
    site.until("TASK [ias.observability.release : Plan release prometheus]")
    site.kill()
    assert len(lab.definitions()) == 10
    assert lab.status("prometheus") == ""


@pytest.mark.parametrize("operation", ["install", "upgrade"])
def test_killed_around_helm(lab: Lab, operation: str) -> None:
    before = "" if operation == "install" else "deployed"
    for release in RELEASES:
        site = Site(*OPTIONS[operation])
        site.until(f"TASK [ias.observability.release : Run Helm for release {release}]")
        site.kill()
        assert lab.status(release) == before
        site = Site(*OPTIONS[operation])
        site.until(f"TASK [ias.observability.release : Run Helm for release {release}]")
        lab.await_status(release, f"pending-{operation}")
        site.kill()
        assert lab.status(release) == f"pending-{operation}"
        site = Site(*OPTIONS[operation])
        site.until(f"TASK [ias.observability.release : Run Helm for release {release}]")
        lab.await_status(release, "deployed")
        site.kill()
        assert lab.status(release) == "deployed"
    Site(*OPTIONS[operation]).finish()
    assert [lab.status(release) for release in RELEASES] == ["deployed"] * len(RELEASES)
    assert changed(Site(*OPTIONS[operation]).finish()) == 0
