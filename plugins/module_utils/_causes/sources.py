# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a data source of Grafana does not work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from .chain import Step, broken, is_broken
from .objects import Objects, name_of, one_line
from .services import service_chain

PORTS = {"http": 80, "https": 443}
URL = re.compile(r"https?://[^\s\"']+")


def source_trouble(kind: str, message: str, objects: Objects, home: str) -> Iterator[Step]:
    """From what Grafana says of it, and the service behind its address, to what is wrong."""
    if re.search(r"no org id|X-Scope-OrgID|\b401\b", message, re.IGNORECASE):
        text = "it wants a tenant or credentials that the data source does not send"
        yield broken(
            f"{kind}: {text}: {one_line(message)}",
            "Set the header X-Scope-OrgID of the data source, or turn auth_enabled off",
        )
        return
    found = URL.search(message)
    url = urlsplit(found[0]) if found else None
    host = url.hostname if url else None
    if url and host:
        name, _dot, rest = host.partition(".")
        space = rest.partition(".")[0] or home
        chain = service_chain(space, name, url.port or PORTS[url.scheme], objects)
        yield from chain
        if is_broken(chain):
            return
    service = next((item for item in objects.of("services", home) if kind in name_of(item)), None)
    if service is not None and not host:
        ports = (service.get("spec") or {}).get("ports") or [{"port": 80}]
        yield from service_chain(home, name_of(service), ports[0]["port"], objects)
