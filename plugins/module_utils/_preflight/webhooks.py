# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission webhooks that nobody answers: with failurePolicy Fail, they refuse what a deployment writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .._causes.objects import Labels, Object, name_of, selects
from .._findings import Finding


class Hook(NamedTuple):
    """One webhook of a configuration, and the service behind it."""

    kind: str
    configuration: str
    name: str
    service: tuple[str, str]
    """Its namespace and name."""
    fails: bool
    """Whether what it should look at is refused where it does not answer."""


def resources(objects: Iterable[Object]) -> set[tuple[str, str]]:
    """Group and plural of what manifests write, and of what comes of it."""
    found = {("", "pods"), ("", "secrets"), ("", "configmaps"), ("monitoring.coreos.com", "prometheusrules")}
    for item in objects:
        group = str(item.get("apiVersion", "")).rpartition("/")[0]
        found.add((group, _plural(str(item.get("kind", "")).lower())))
    return found


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith(("s", "x")) else f"{kind}s"


def of_interest(
    kind: str, configurations: Iterable[Object], labels: Labels, written: set[tuple[str, str]]
) -> Iterator[Hook]:
    """The webhooks that a deployment to a namespace with these labels must pass; only those behind a service."""
    for configuration in configurations:
        for webhook in configuration.get("webhooks") or ():
            service = (webhook.get("clientConfig") or {}).get("service")
            if service and _concerned(webhook, labels, written):
                place = (str(service["namespace"]), str(service["name"]))
                fails = webhook.get("failurePolicy", "Fail") == "Fail"
                yield Hook(kind, name_of(configuration), webhook["name"], place, fails)


def _concerned(webhook: Mapping[str, Any], labels: Labels, written: set[tuple[str, str]]) -> bool:
    if not selects(webhook.get("namespaceSelector"), labels):
        return False
    return any(
        _either(rule.get("operations"), ("CREATE", "UPDATE"))
        and _either(rule.get("apiGroups"), (group,))
        and _either(rule.get("resources"), (plural,))
        for rule in webhook.get("rules") or ()
        for group, plural in written
    )


def _either(allowed: Iterable[str] | None, wanted: Iterable[str]) -> bool:
    known = set(allowed or ())
    return bool(known & {"*", "*/*"} or known & set(wanted))


def findings(hooks: Iterable[Hook], ready: Mapping[tuple[str, str], bool]) -> list[Finding]:
    """`ready`: whether a service has an endpoint that is; one that could not be read is left out."""
    found: dict[tuple[str, str], Finding] = {}
    for hook in hooks:
        if ready.get(hook.service, True):
            continue
        namespace, service = hook.service
        message = f"webhook {hook.name} is answered by nobody: service {namespace}/{service} has no ready endpoint"
        message += ", so what this run writes is refused" if hook.fails else ", so each write waits for it"
        hint = f"Bring its pods up; if they are gone for good: kubectl delete {hook.kind} {hook.configuration}"
        found[hook.kind, hook.configuration] = Finding(
            "cluster/webhook",
            "error" if hook.fails else "warning",
            message,
            hint,
            object=f"{hook.kind} {hook.configuration}",
        )
    return list(found.values())


def is_ready(slices: Iterable[Object]) -> bool:
    """Whether one endpoint is; the API means true where it says nothing."""
    endpoints = (endpoint for item in slices for endpoint in item.get("endpoints") or ())
    return any((endpoint.get("conditions") or {}).get("ready") is not False for endpoint in endpoints)
