# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts of our own, followed from Alertmanager's API to what its counters, and a webhook, say of their receivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ias.observability.plugins.modules import alert_delivery_verify
from tests.fakes.http import HANG_UP, Reply, Request, Server, running_server
from tests.fakes.kube import FakeKube
from tests.fakes.module import run_module

ALERTS, STATUS, METRICS = "/api/v2/alerts", "/api/v2/status", "/metrics"
CONFIGURATION = """
receivers:
  - {name: page, webhook_configs: [{url: <secret>}]}
  - {name: info, webhook_configs: [{url: <secret>}]}
  - {name: none}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """Alertmanager and the webhook in one: they share no path."""
    with running_server() as running:
        running.ok("POST", ALERTS, None)
        running.on("GET", ALERTS, held("page"))
        running.on("GET", "/alerts", got())
        running.ok("GET", STATUS, {"config": {"original": CONFIGURATION}})
        running.on("GET", METRICS, counters(), counters(requests=1))
        yield running


def counters(receiver: str = "page", requests: int = 0, failed: int = 0, **given_up: int) -> Reply:
    """/metrics: by then `requests` were sent to the receiver, of which `failed` failed."""
    labels = f'integration="webhook",receiver_name="{receiver}"'
    lines = [
        f"alertmanager_notification_requests_total{{{labels}}} {requests}",
        f"alertmanager_notification_requests_failed_total{{{labels}}} {failed}",
        *(f'alertmanager_notifications_failed_total{{{labels},reason="{why}"}} {n}' for why, n in given_up.items()),
    ]
    return Reply(200, "\n".join(lines).encode())


def held(*receivers: str, state: str = "active", **status: Any) -> Reply:
    alert = {"receivers": [{"name": name} for name in receivers], "status": {"state": state, **status}}
    return Reply(200, [alert])


def got(receiver: str = "page", status: str = "firing") -> Any:
    """The webhook has it, under the name that it is asked for."""

    def answer(request: Request) -> Reply:
        return Reply(
            200,
            [
                {
                    "receiver": receiver,
                    "status": status,
                    "labels": {"delivery_proof": request.query["delivery_proof"][0]},
                }
            ],
        )

    return answer


def run(server: Server, *, webhook: bool = True, **args: Any) -> dict[str, Any]:
    asked = {"webhook": {"url": server.url}} if webhook else {}
    wanted = {"alerts": [{"receiver": "page", "labels": {"severity": "critical"}}], "interval": 0, "timeout": 0}
    return run_module(alert_delivery_verify, alertmanager={"url": server.url}, **asked, **wanted | args)


def ids(result: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in result["findings"]]


def sent(server: Server) -> list[dict[str, Any]]:
    return [alert for request in server.seen("POST", ALERTS) for alert in request.body]


def lasts(alert: dict[str, Any]) -> float:
    return (datetime.fromisoformat(alert["endsAt"]) - datetime.fromisoformat(alert["startsAt"])).total_seconds()


def test_it_arrives(server: Server) -> None:
    result = run(server)
    assert result["findings"] == []
    assert result["summary"] == {"checked": 4, "passed": 4}
    assert (result["routed_to"], result["received_by"], result["changed"]) == (["page"], ["page"], False)


def test_the_alert_has_a_name_of_its_own_and_the_labels_that_were_given(server: Server) -> None:
    for _run in range(2):
        server.on("GET", METRICS, counters(), counters(requests=1))
        run(server, alerts=[{"receiver": "page", "labels": {"severity": "critical", "tier": 1}}])
    first, _, second, _ = (alert["labels"] for alert in sent(server))
    assert first["alertname"].startswith("DeliveryProof-")
    assert first["alertname"] != second["alertname"]
    assert (first["severity"], first["tier"]) == ("critical", "1")
    assert server.seen("GET", ALERTS)[0].query["filter"] == [f'delivery_proof="{first["delivery_proof"]}"']


def test_an_alert_may_have_the_name_that_its_route_matches(server: Server) -> None:
    run(server, alerts=[{"receiver": "page", "labels": {"alertname": "Watchdog"}}])
    assert {alert["labels"]["alertname"] for alert in sent(server)} == {"Watchdog"}


def test_it_is_taken_back_when_it_has_arrived(server: Server) -> None:
    run(server)
    fires, resolved = sent(server)
    assert fires["labels"] == resolved["labels"]
    assert fires["startsAt"] == resolved["startsAt"]
    assert lasts(fires) > 200 > lasts(resolved)


def test_one_that_does_not_arrive_ends_by_itself(server: Server) -> None:
    server.ok("GET", "/alerts", [])
    run(server)
    assert [lasts(alert) > 200 for alert in sent(server)] == [True]


def test_waits_for_it(server: Server) -> None:
    server.on("GET", "/alerts", Reply(200, []), Reply(200, []), got())
    assert run(server, timeout=20)["findings"] == []
    assert len(server.seen("GET", "/alerts")) == 3


@pytest.mark.parametrize(
    ("alertmanager", "finding", "passed"),
    [
        (Reply(200, []), "delivery/not-held", 0),
        (held("ticket"), "delivery/wrong-receiver", 1),
        (held("page", state="suppressed", silencedBy=["8f1c"]), "delivery/suppressed", 0),
        (held("page", state="suppressed", inhibitedBy=["a"]), "delivery/suppressed", 0),
    ],
)
def test_where_it_stops(server: Server, alertmanager: Reply, finding: str, passed: int) -> None:
    server.on("GET", ALERTS, alertmanager)
    result = run(server)
    assert result["failed"] is True
    assert ids(result) == [finding]
    assert result["summary"]["passed"] == passed


@pytest.mark.parametrize("webhook", [Reply(200, []), got(receiver="ticket"), got(status="resolved")])
def test_the_webhook_has_not_got_it(server: Server, webhook: Any) -> None:
    server.on("GET", "/alerts", webhook)
    result = run(server)
    assert ids(result) == ["delivery/not-received"]
    assert result["summary"] == {"checked": 4, "passed": 3}


def test_a_silence_is_named(server: Server) -> None:
    server.on("GET", ALERTS, held("page", state="suppressed", silencedBy=["8f1c"]))
    assert "by silence 8f1c" in run(server)["msg"]


def test_nobody_is_asked_where_there_is_no_webhook(server: Server) -> None:
    result = run(server, webhook=False)
    assert result["summary"] == {"checked": 3, "passed": 3}
    assert server.seen("GET", "/alerts") == []


@pytest.mark.parametrize(
    ("receiver", "expected"),
    [("page", []), ("pager", ["delivery/no-receiver"]), ("none", ["delivery/no-integration"])],
)
def test_check_mode_sends_nothing(server: Server, receiver: str, expected: list[str]) -> None:
    assert ids(run(server, alerts=[{"receiver": receiver}], check=True)) == expected
    assert sent(server) == []


def test_a_receiver_that_notifies_nobody_fails_before_anything_is_sent(server: Server) -> None:
    assert ids(run(server, alerts=[{"receiver": "page"}, {"receiver": "none"}])) == ["delivery/no-integration"]
    assert sent(server) == []


def test_a_site_may_prove_nothing(server: Server) -> None:
    assert run(server, alerts=[])["summary"] == {"checked": 0, "passed": 0}
    assert server.requests == []


@pytest.mark.parametrize(
    ("after", "finding", "text"),
    [
        (counters(), "delivery/not-notified", "0 of 1 notifications since the alert was sent"),
        (counters(requests=3, failed=3), "delivery/failed", "3 of 3 attempts, it goes on trying"),
        (counters(requests=1, failed=1, clientError=1), "delivery/failed", "1 of 1 attempt, reason clientError"),
        (counters("info", requests=1), "delivery/not-notified", "webhook has not been notified"),
    ],
)
def test_the_counters_say_that_nobody_was_notified(server: Server, after: Reply, finding: str, text: str) -> None:
    server.on("GET", METRICS, counters(), after)
    result = run(server)
    assert (result["failed"], ids(result)) == (True, [finding])
    first = result["msg"].splitlines()[0]
    assert first.startswith("An alert does not reach its receiver (receiver page: webhook")
    assert text in first


def test_what_was_counted_before_counts_for_nothing(server: Server) -> None:
    server.on("GET", METRICS, counters(requests=7, failed=2))
    assert ids(run(server)) == ["delivery/not-notified"]


def test_an_alertmanager_that_restarts_counts_anew(server: Server) -> None:
    server.on("GET", METRICS, counters(requests=7, failed=2), counters(requests=1))
    assert ids(run(server)) == []


def test_every_receiver_of_an_alert_must_have_been_notified(server: Server) -> None:
    server.on("GET", ALERTS, held("page", "info"))
    result = run(server)
    assert [(finding["id"], finding["object"]) for finding in result["findings"]] == [
        ("delivery/not-notified", "receiver info")
    ]


def test_a_receiver_for_nobody_beside_it_does_not_count(server: Server) -> None:
    server.on("GET", ALERTS, held("page", "none"))
    assert ids(run(server)) == []


@pytest.mark.parametrize(
    ("method", "path", "broken"),
    [
        ("POST", ALERTS, Reply(400, {"message": "bad"})),
        ("GET", ALERTS, HANG_UP),
        ("GET", "/alerts", Reply(200, b"<html>")),
        ("GET", STATUS, Reply(200, {"config": {"original": "receivers: 1"}})),
        ("GET", METRICS, Reply(404, b"nothing here")),
    ],
)
def test_a_server_that_does_not_answer_as_it_should(server: Server, method: str, path: str, broken: Any) -> None:
    server.on(method, path, broken)
    result = run(server)
    assert ids(result) == ["verify/unreachable"]
    assert path in result["msg"]


POD = "/api/v1/namespaces/ias-system/pods"
REFUSED = 'msg="Notify attempt failed" receiver=page integration=webhook[0] err="Post \\"<redacted>\\": no such host"'


@pytest.fixture
def cluster(server: Server, tmp_path: Path) -> Iterator[tuple[FakeKube, Server, dict[str, Any]]]:
    """Two Alertmanagers behind the service; the first is `server`. And the credentials."""
    name = "prometheus-kube-prometheus-alertmanager"
    with FakeKube() as kube, running_server() as second:
        second.ok("POST", ALERTS, None)
        second.on("GET", ALERTS, held("page"))
        second.ok("GET", STATUS, {"config": {"original": CONFIGURATION}})
        second.on("GET", METRICS, counters())
        kube.add(f"/api/v1/namespaces/ias-system/services/{name}", spec={"ports": [{"name": "web", "port": 9093}]})
        kube.add(
            f"/apis/discovery.k8s.io/v1/namespaces/ias-system/endpointslices/{name}-x",
            metadata={"labels": {"kubernetes.io/service-name": name}},
            ports=[{"name": "web", "port": 9093}],
            endpoints=[
                {"conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": pod}} for pod in ("am-0", "am-1")
            ],
        )
        kube.ports |= {("am-0", 9093): server.port, ("am-1", 9093): second.port}
        credentials = {"kubeconfig": str(kube.write_kubeconfig(tmp_path / "kubeconfig"))}
        yield kube, second, {**credentials, "alertmanager": {}}


def prove(options: dict[str, Any]) -> dict[str, Any]:
    alerts = [{"receiver": "page", "labels": {"severity": "critical"}}]
    return run_module(alert_delivery_verify, alerts=alerts, interval=0, timeout=0, **options)


def test_one_of_two_alertmanagers_notifies(server: Server, cluster: tuple[FakeKube, Server, dict[str, Any]]) -> None:
    _kube, second, options = cluster
    assert ids(prove(options)) == []
    assert [len(sent(each)) for each in (server, second)] == [2, 2]


def test_the_log_of_a_pod_gives_the_last_error(
    server: Server, cluster: tuple[FakeKube, Server, dict[str, Any]]
) -> None:
    kube, second, options = cluster
    server.on("GET", METRICS, counters())
    second.on("GET", METRICS, counters(), counters(requests=2, failed=2))
    kube.texts |= {f"{POD}/am-0/log": "", f"{POD}/am-1/log": REFUSED}
    assert '2 of 2 attempts, it goes on trying: Post "<redacted>": no such host' in prove(options)["msg"]


def test_without_the_right_to_read_logs_the_counters_still_count(
    server: Server, cluster: tuple[FakeKube, Server, dict[str, Any]]
) -> None:
    kube, second, options = cluster
    server.on("GET", METRICS, counters())
    second.on("GET", METRICS, counters(), counters(requests=2, failed=2))
    kube.failures |= {f"{POD}/am-0/log": [403], f"{POD}/am-1/log": [403]}
    assert ids(prove(options)) == ["delivery/failed"]
