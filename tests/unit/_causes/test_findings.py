# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The causes of findings about traces and ports, over the objects of a cluster."""

from __future__ import annotations

from ansible_collections.ias.observability.plugins.module_utils._causes.findings import explain_ports, explain_traces
from ansible_collections.ias.observability.plugins.module_utils._causes.merge import merged
from ansible_collections.ias.observability.plugins.module_utils._causes.objects import Objects
from ansible_collections.ias.observability.plugins.module_utils._findings import Finding

from .states import HOME, healthy, objects, pod, thing

TEMPO = (HOME, "tempo", 3200)


def with_tempo(**changes: object) -> Objects:
    kinds = healthy()
    ports = [
        {"name": f"p{port}", "port": port, "targetPort": changes.get(f"p{port}", port)} for port in (3200, 4317, 4318)
    ]
    kinds["services"].append(thing("tempo", spec={"selector": {"app": "tempo"}, "ports": ports}))
    tempo = pod("tempo-0", {"app": "tempo"})
    tempo["spec"]["containers"][0]["ports"] = [{"containerPort": port} for port in (3200, 4317, 4318)]
    kinds["pods"].append(tempo)
    if changes.get("scaled"):
        kinds["pods"] = kinds["pods"][1:]
        kinds["deployments"][0]["spec"]["replicas"] = 0
    return objects(kinds)


def test_a_service_that_a_trace_lacks() -> None:
    finding = Finding("traces/incomplete", "error", "missing: web", evidence={"missing": ["web"]})
    (found,) = merged(explain_traces([finding], [], TEMPO, with_tempo(scaled=True)))
    assert found.message == "Deployment ias-system/web is scaled to 0: missing: web"
    (found,) = merged(explain_traces([finding], [], TEMPO, with_tempo()))
    assert found.message == "missing: web"


def test_a_port_that_leads_nowhere() -> None:
    lost = "port p4317 of Service ias-system/tempo leads to port 9, which no container of its pods declares"
    finding = Finding("traces/none", "error", "Tempo has no trace")
    (found,) = merged(explain_traces([finding], ["web"], TEMPO, with_tempo(p4317=9)))
    assert found.message.startswith(lost)
    refused = Finding("otlp/refused", "error", "no span can be sent", object="tempo.ias-system:4317 (gRPC)")
    (found,) = merged(explain_ports([refused], HOME, "tempo", with_tempo(p4317=9)))
    assert found.message.startswith(lost)
