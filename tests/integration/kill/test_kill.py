# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any moment is mended by the next one.

The moments follow each other in one deployment: each run begins where a killed one left off, and dies a step later.
"""

from __future__ import annotations

from functools import partial

import pytest

from tests.integration.kill.conftest import RELEASES, Lab, Site, changed

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
    site.kill_when(lambda: len(lab.definitions()) > 0)
    site = Site()
    site.until("TASK [ias.observability.release : Plan release prometheus]")
    site.kill()
    assert len(lab.definitions()) == 10
    assert lab.status("prometheus") == ""


@pytest.mark.parametrize("operation", ["install", "upgrade"])
def test_killed_around_helm(lab: Lab, operation: str) -> None:
    for release in RELEASES:
        before = lab.revision(release)
        assert before[1] == ("" if operation == "install" else "deployed")
        task = f"TASK [ias.observability.release : Run Helm for release {release}]"
        site = Site(*OPTIONS[operation])
        site.until(task)
        site.kill()
        assert lab.revision(release) == before
        for status in (f"pending-{operation}", "deployed"):
            site = Site(*OPTIONS[operation])
            site.until(task)
            site.kill_when(partial(reached, lab, release, before, status))
            assert reached(lab, release, before, status)
    Site(*OPTIONS[operation]).finish()
    assert [lab.status(release) for release in RELEASES] == ["deployed"] * len(RELEASES)
    assert changed(Site(*OPTIONS[operation]).finish()) == 0


def reached(lab: Lab, release: str, before: tuple[int, str], status: str) -> bool:
    number, now = lab.revision(release)
    return number > before[0] and now == status
