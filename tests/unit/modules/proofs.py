# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that prove something of one service."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from ansible_collections.ias.observability.plugins.modules import (
    alert_delivery_verify,
    alert_routing_verify,
    alert_rules_verify,
    correlation_verify,
    dashboards_verify,
    firing_alerts_verify,
    grafana_datasources_verify,
    metrics_contract_verify,
    scrape_targets_verify,
    trace_verify,
)

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"

PROOFS: dict[ModuleType, tuple[list[str], dict[str, Any]]] = {
    alert_delivery_verify: (["alertmanager"], {}),
    alert_routing_verify: (["prometheus", "alertmanager"], {}),
    alert_rules_verify: (["prometheus"], {"paths": [str(CONTRACTS / "alerts.yaml")]}),
    correlation_verify: (["grafana"], {}),
    dashboards_verify: (["grafana"], {"folder": "IAS Platform"}),
    firing_alerts_verify: (["prometheus"], {}),
    grafana_datasources_verify: (["grafana"], {}),
    metrics_contract_verify: (["prometheus"], {"contract": str(CONTRACTS / "services.yaml")}),
    scrape_targets_verify: (["prometheus"], {}),
    trace_verify: (["tempo", "loki"], {}),
}
"""The proofs that need no Kubernetes API, with the services that they ask and what else they must be told."""
