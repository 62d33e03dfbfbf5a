# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a target that exists is down: the pod first, then what the error of its scrape says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._prometheus import Target
from .chain import Chain, Step, broken, is_broken, listed, unknown
from .network import kept_out
from .objects import Object, Objects, full_name, labels_of, name_of, one_line, space_of, spec_of
from .pods import pod_chain
from .targets import endpoint_of, find_monitor, named


def target_chain(target: Target, objects: Objects, home: str) -> Chain:
    """A target, up or down."""
    if target.health == "up":
        return [Step(f"target {target.url} of job {target.job} is up")]
    if target.health == "unknown":
        return [unknown(f"target {target.url} of job {target.job} has not been scraped yet")]
    return down_chain(target, objects, home)


def down_chain(target: Target, objects: Objects, home: str) -> Chain:
    """Why a target that exists is down: the pod first, then what its error means."""
    namespace, pod_name = target.labels.get("namespace", ""), target.labels.get("pod", "")
    pod = objects.find("pods", namespace, pod_name) if pod_name else None
    chain: list[Step] = [broken(f"target {target.url} is {target.health}: {one_line(target.error)}")]
    if pod is not None:
        state = pod_chain(pod, objects)
        if is_broken(state):
            return [*chain, *state]
        chain += state
    elif pod_name and objects.knows("pods"):
        return [*chain, broken(f"pod {namespace}/{pod_name} is gone", "Prometheus learns of it within a minute")]
    return [*chain, *meaning(target, pod, objects, home)]


def meaning(target: Target, pod: Object | None, objects: Objects, home: str) -> Iterator[Step]:
    """What the error of a scrape says."""
    for pattern, explain in ERRORS:
        match = re.search(pattern, target.error, re.IGNORECASE)
        if match:
            yield from explain(match, target, pod, objects, home)
            return


Explain = Callable[["re.Match[str]", Target, "Object | None", Objects, str], Iterator[Step]]


def _owner(target: Target, objects: Objects) -> tuple[str, Mapping[str, Any], Object | None]:
    """The monitor of a target, as it is named, its endpoint and itself."""
    found = find_monitor(target.pool, objects)
    if found is None:
        return target.pool, {}, None
    monitor, plural, number = found
    return named(monitor, plural), endpoint_of(monitor, plural, number), monitor


def _limit(match: re.Match[str], target: Target, pod: Object | None, objects: Objects, home: str) -> Iterator[Step]:
    name, endpoint, monitor = _owner(target, objects)
    field = LIMITS[match[1].lower().replace("_", " ")]
    value = spec_of(monitor or {}).get(field, endpoint.get(field))
    told = f"{field} (of the Prometheus object)" if value is None else f"{field} {value} of {name}"
    hint = "Find the label or metric that grew (metrics_contract_verify names it), or raise the limit"
    yield broken(f"{told} refuses the whole scrape of {target.url}: {one_line(target.error)}", hint)


LIMITS = {
    "label name length": "labelNameLengthLimit",
    "label value length": "labelValueLengthLimit",
    "label": "labelLimit",
    "target": "targetLimit",
    "bucket": "nativeHistogramBucketLimit",
    "body size": "bodySizeLimit",
    "sample": "sampleLimit",
}
"""What Prometheus says of a limit, and the field that sets it."""


def _status(match: re.Match[str], target: Target, pod: Object | None, objects: Objects, home: str) -> Iterator[Step]:
    status, (name, endpoint, _monitor) = int(match[1]), _owner(target, objects)
    path = urlsplit(target.url).path
    if status in {401, 403}:
        text = f"what answers at {target.url} wants other credentials than {name} has: HTTP {status}"
        yield broken(text, "Give the monitor's endpoint authorization, basicAuth or bearerTokenSecret that it takes")
    elif status in {404, 405}:
        written = f" (path {endpoint['path']} of {name})" if endpoint.get("path") else ""
        text = f"{target.url} has no metrics at path {path}{written}: HTTP {status}"
        yield broken(text, "Correct the path of the monitor's endpoint, or the port that it names")
    else:
        where = f"pod {full_name(pod)}" if pod else target.url
        log = f": kubectl logs -n {space_of(pod)} {name_of(pod)}" if pod else ""
        yield broken(f"{where} answers a scrape of {path} with HTTP {status}", f"Look at its log{log}")


def _refused(match: re.Match[str], target: Target, pod: Object | None, objects: Objects, home: str) -> Iterator[Step]:
    port, where = urlsplit(target.url).port or 0, f"pod {full_name(pod)}" if pod else urlsplit(target.url).hostname
    declared = sorted(_declared(pod)) if pod else []
    also = (
        f"; its containers declare {listed(list(map(str, declared)), 6)}" if declared and port not in declared else ""
    )
    text = f"nothing listens on port {port} of {where}{also}"
    yield broken(text, "Correct the port that the monitor or the service names, or what the container listens on")


def _declared(pod: Object) -> set[int]:
    return {
        int(entry["containerPort"])
        for container in spec_of(pod).get("containers") or []
        for entry in container.get("ports") or []
        if entry.get("containerPort")
    }


def _timeout(match: re.Match[str], target: Target, pod: Object | None, objects: Objects, home: str) -> Iterator[Step]:
    port = urlsplit(target.url).port or 0
    if pod is not None:
        scraper = next((one for one in objects.of("pods", home) if _is_prometheus(one)), None)
        kept = list(kept_out(scraper, pod, port, objects))
        if kept:
            yield from kept
            return
    where = f"pod {full_name(pod)}" if pod else target.url
    if "dial" in target.error or "i/o timeout" in target.error:
        text = f"no connection to port {port} of {where} comes about"
        yield broken(text, "Look at network policies, at a firewall, and whether its port is open on the pod's address")
        return
    after = f" within {target.timeout}" if target.timeout else " within the scrape timeout"
    text = f"{where} does not answer a scrape{after}"
    yield broken(text, "Look at its load, its log and network policies; a slow exporter needs a longer scrapeTimeout")


def _is_prometheus(pod: Object) -> bool:
    return labels_of(pod).get("app.kubernetes.io/name") == "prometheus"


def _said(text: str, hint: str) -> Explain:
    def explain(
        match: re.Match[str], target: Target, pod: Object | None, objects: Objects, home: str
    ) -> Iterator[Step]:
        name, endpoint, _monitor = _owner(target, objects)
        where = f"pod {full_name(pod)}" if pod else target.url
        told = text.format(where=where, url=target.url, name=name, scheme=endpoint.get("scheme", "http"))
        yield broken(f"{told}: {one_line(target.error)}", hint)

    return explain


ERRORS: Sequence[tuple[str, Explain]] = (
    (r"(label[_ ](?:name|value)[_ ]length|label|target|bucket|body size|sample)[_ ]limit", _limit),
    (r"server returned HTTP status (\d+)", _status),
    (r"connection refused", _refused),
    (
        r"HTTP response to HTTPS client",
        _said("{name} asks by https, but {where} speaks http", "Correct the scheme of the monitor's endpoint"),
    ),
    (
        r"malformed HTTP response|HTTP request to an HTTPS server|first record does not look like a TLS",
        _said("{name} asks by {scheme}, which {where} does not speak", "Correct the scheme of the monitor's endpoint"),
    ),
    (
        r"x509|certificate|tls: ",
        _said("the certificate of {where} is not trusted by {name}", "Correct tlsConfig of the monitor's endpoint"),
    ),
    (r"context deadline exceeded|i/o timeout|timeout awaiting", _timeout),
    (r"no such host", _said("the name in {url} is not known to the cluster's DNS", "Look at CoreDNS, and at the name")),
    (
        r"no route to host|network is unreachable",
        _said("the address of {where} cannot be reached", "Look at the pod's node and the network between the nodes"),
    ),
    (
        r"out of bounds|out of order|too old|too far into the future",
        _said("the times of the samples of {where} are not those of Prometheus", "Compare the clocks of the nodes"),
    ),
    (
        r"unsupported Content-Type|Content-Type|invalid metric type|expected|unexpected|strconv|parse|invalid",
        _said("what {url} answers is not in Prometheus' format", "Correct the path and the port of the monitor"),
    ),
    (r"EOF|connection reset|broken pipe", _said("{where} ends the connection of a scrape", "Look at the pod's log")),
)
