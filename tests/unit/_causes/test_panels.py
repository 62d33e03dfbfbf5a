# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the job behind panels is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.module_utils._causes.findings import explain_panels
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding

from .states import HOME, healthy, objects, said


@pytest.mark.parametrize(
    ("job", "change", "text"),
    [
        ("web", lambda kinds: None, ""),
        ("elsewhere", lambda kinds: None, ""),
        (
            "web",
            lambda kinds: (kinds["pods"].pop(0), kinds["deployments"][0]["spec"].update(replicas=0)),
            "Deployment ias-system/web is scaled to 0",
        ),
        (
            f"{HOME}/web",
            lambda kinds: kinds["servicemonitors"].clear(),
            "no ServiceMonitor selects Service ias-system/web",
        ),
    ],
)
@pytest.mark.parametrize("identity", ["dashboards/job-gone", "dashboards/job-down"])
def test_a_job_is_explained_by_its_service(
    identity: str, job: str, change: Callable[[dict[str, list[Any]]], object], text: str
) -> None:
    kinds = healthy()
    change(kinds)
    finding = Finding(identity, "error", "it is gone", object=f"job {job}")
    ((_finding, chain),) = explain_panels([finding], objects(kinds), HOME)
    assert said(chain).startswith(text)
    assert bool(said(chain)) is bool(text)


def test_other_findings_are_left_alone() -> None:
    finding = Finding("dashboards/no-data", "error", "no sample", object="D/P")
    ((same, chain),) = explain_panels([finding], objects(healthy()), HOME)
    assert (same, chain) == (finding, ())
