# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only looks at files does not import what speaks with servers: that would take a quarter longer to start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.ias.observability.plugins import modules

CLIENTS = {"urllib3", "kubernetes", "ssl"}
VALIDATORS = [
    *("alert_rules_coverage", "alert_rules_validate", "dashboards_validate", "findings_report", "helm_values_validate"),
    "validation_files_info",
]


def imported(name: str) -> set[str]:
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = f"import sys, {modules.__name__}.{name}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], env=where, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize("name", VALIDATORS)
def test_a_validator_imports_no_client(name: str) -> None:
    assert CLIENTS & imported(name) == set()


def test_what_speaks_with_grafana_does() -> None:
    assert {"urllib3", "ssl"} <= imported("grafana_dashboards")


@pytest.mark.parametrize(
    "name", ["alert_rules_verify", "dashboards_verify", "grafana_dashboards", "scrape_targets_verify"]
)
def test_what_may_be_given_a_url_does_not_import_the_client_of_kubernetes(name: str) -> None:
    """It would take as long as all the rest of the import, and a third of the memory."""
    assert "kubernetes" not in imported(name)


@pytest.mark.parametrize("name", ["grafana_backup", "grafana_dashboards", "grafana_restore"])
def test_what_writes_does_not_import_the_look_up_of_causes(name: str) -> None:
    assert not [module for module in imported(name) if "._causes" in module or "._explain" in module]
