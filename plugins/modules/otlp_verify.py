#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that a span that is sent by OTLP now can be read back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: otlp_verify
short_description: Prove that a span that is sent by OTLP now can be read back
description:
  - Opens a new connection to each OTLP port of Tempo's service, by gRPC and by HTTP, sends one span with a random id as
    service C(observability-canary), and reads it back by its id and by TraceQL, its attributes included.
  - Connections that services opened long ago may live on when new ones fail. This proof has none.
  - Where Tempo makes metrics of spans (its configuration lists C(span-metrics)), the spans must be counted in
    Prometheus, with one of their trace ids as an exemplar. Tempo sends such metrics every 15 seconds.
  - Waits for at most O(timeout) seconds until all of it is there.
options:
  otlp_http_port:
    description: Port of OTLP over HTTP of the service in O(tempo). V(0) means that it has none.
    type: int
    default: 4318
  otlp_grpc_port:
    description: Port of OTLP over gRPC of the service in O(tempo). V(0) means that it has none.
    type: int
    default: 4317
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._services.tempo
  - ias.observability._services.prometheus
  - ias.observability._proof
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
    details: In check mode no span is sent and nothing is proved.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Each run sends spans of its own, which expire with the others; nothing else is changed.
"""

EXAMPLES = r"""
- name: Prove that new connections to Tempo work
  ias.observability.otlp_verify:
    tempo: {namespace: ias-system}
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - {id: otlp/refused, severity: error, object: tempo.ias-system:4317 (gRPC), message: no span can be sent}
summary:
  description: How many steps were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 10, passed: 10}
seconds:
  description: How long the proof took, in seconds.
  type: float
  returned: always
  sample: 2.1
endpoints:
  description: Where spans were sent.
  type: list
  elements: str
  returned: when Tempo answered
  sample: ["tempo.ias-system:4317 (gRPC)", "tempo.ias-system:4318 (HTTP)"]
span_metrics:
  description: Whether Tempo makes metrics of spans, so that they were looked for.
  type: bool
  returned: when Tempo answered
  sample: true
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..module_utils import _kube
from ..module_utils._causes.merge import Explained
from ..module_utils._checks.result import CheckResult
from ..module_utils._explain import findings as causes
from ..module_utils._findings import Finding
from ..module_utils._http import Api, Deadline
from ..module_utils._kube.module import kube_module
from ..module_utils._otlp import grpc
from ..module_utils._otlp.span import Span
from ..module_utils._prometheus import Prometheus
from ..module_utils._service import PROMETHEUS, TEMPO, arguments, open_service
from ..module_utils._tempo import Tempo
from ..module_utils._verify.otlp import OtlpProbe, Send
from ..module_utils._verify.proof import WAIT_ARGS, verify

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def main() -> None:
    port = {"type": "int"}
    module = kube_module(
        arguments(
            tempo=TEMPO,
            prometheus=PROMETHEUS,
            otlp_http_port={**port, "default": 4318},
            otlp_grpc_port={**port, "default": 4317},
            **WAIT_ARGS,
        ),
        supports_check_mode=True,
    )
    if module.params["tempo"]["url"]:
        module.fail_json(msg="tempo.url cannot be used here: spans are sent to the ports of the Kubernetes service")
    if module.check_mode:
        module.exit_json(changed=False, findings=[], summary={"checked": 0, "passed": 0}, endpoints=[])
    otlp = OtlpProbe()

    def probe(deadline: Deadline) -> CheckResult:
        with (
            open_service(module.params, "tempo", deadline) as tempo,
            open_service(module.params, "prometheus", deadline) as prometheus,
        ):
            return otlp.verify(Tempo(tempo), dict(senders(module.params, deadline)), Prometheus(prometheus))

    def explain(findings: Sequence[Finding], deadline: Deadline) -> Iterable[Explained]:
        return causes.ports(_kube.Cluster(_kube.connect(module.params), deadline), module.params["tempo"], findings)

    verify(module, "A span that is sent now does not come back", probe, explain)


def senders(params: dict[str, Any], deadline: Deadline) -> Iterator[tuple[str, Send]]:
    """Each endpoint, and how a span is sent to it."""
    cluster = _kube.Cluster(_kube.connect(params), deadline)
    namespace, service = params["tempo"]["namespace"], params["tempo"]["service"]

    def by_grpc(span: Span) -> None:
        endpoint = _kube.ready_endpoints(cluster, namespace, service, params["otlp_grpc_port"])[0]
        try:
            with _kube.dial(cluster, namespace, endpoint) as connection:
                grpc.call(connection, f"{service}.{namespace}", EXPORT, span.as_protobuf())
        except (grpc.GrpcError, OSError) as error:
            raise grpc.GrpcError(f"port {endpoint.port} of pod {endpoint.pod}: {error}") from error

    def by_http(span: Span) -> None:
        with _kube.forward(cluster, namespace, service, params["otlp_http_port"]) as tunnel:
            Api(tunnel.pool, "", {}, deadline=deadline).post("/v1/traces", span.as_json())

    if params["otlp_grpc_port"]:
        yield f"{service}.{namespace}:{params['otlp_grpc_port']} (gRPC)", by_grpc
    if params["otlp_http_port"]:
        yield f"{service}.{namespace}:{params['otlp_http_port']} (HTTP)", by_http


if __name__ == "__main__":
    main()
