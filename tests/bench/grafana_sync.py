# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""grafana_dashboards against a loop of community.grafana.grafana_dashboard, on a Grafana that takes 5 ms to answer.

Both inside ansible-playbook, from its start to its end. The Grafana is the lab's double: it plays 12.0, the newest that
the peer is tested with, and it has the folder already, so that the peer need not look after that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.bench.measure import ROOT, Figure, module, peak_memory, run
from tests.bench.playbook import play
from tests.lab.grafana.faults import Faults
from tests.lab.grafana.testing import Double, running_double

COUNT = 100
LATENCY = 0.005
FOLDER = "Bench"
VERSION = "12.0.0"
FIRST = "the double, which answers one request at a time; then the start of the module"
SAME = "the start of the module; then the one answer with all dashboards, and comparing them"
PEER = "community.grafana.grafana_dashboard in a loop"


def figures(folder: Path) -> Iterator[Figure]:
    """The tasks alone: the same playbook without tasks is taken off both. The details have the whole playbooks.

    Theirs takes minutes, in which the machine may become busier: ours runs before and after, and the slower counts.
    """
    src = folder / "dashboards"
    write_dashboards(src, COUNT)
    empty = min(play(folder, []).seconds for _ in range(3))
    before = measure(folder, lambda url, token: own_task(url, token, src))
    theirs = measure(folder, lambda url, token: peer_task(url, token, src))
    after = measure(folder, lambda url, token: own_task(url, token, src))
    for number, (what, goal, bound) in enumerate((("first sync of", 15, FIRST), ("no change in", 30, SAME))):
        ours = max(before[number], after[number], key=lambda ran: float(ran["seconds"]))
        other = theirs[number]
        details = {name: ours[name] for name in ("requests", "writes")}
        details |= {f"their_{name}": other[name] for name in ("requests", "writes")}
        details |= {"playbook_seconds": round(ours["seconds"], 3), "their_playbook_seconds": round(other["seconds"], 3)}
        yield Figure(
            f"{what} {COUNT} dashboards",
            PEER,
            ours["seconds"] - empty,
            other["seconds"] - empty,
            goal,
            bound,
            faster=True,
            details=details,
        )
    yield alone(src)


def alone(src: Path) -> Figure:
    """The module without ansible-playbook, which reads its arguments from its standard input."""
    with running_double(version=VERSION, faults=Faults(latency=LATENCY)) as double:
        own = {
            "ANSIBLE_MODULE_ARGS": {**own_arguments(double.url, prepare(double), src), "_ansible_remote_tmp": "/tmp"}
        }
        first = peak_memory("grafana_dashboards", json.dumps(own))
        rounds = [run(module("grafana_dashboards"), json.dumps(own)) for _ in range(4)]
        again = peak_memory("grafana_dashboards", json.dumps(own))
    nothing = json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp"}})
    ping = min(run([sys.executable, "-m", "ansible.modules.ping"], nothing).seconds for _ in range(4))
    best = min(ran.seconds for ran in rounds)
    details = {"memory_first_mib": round(first, 1), "memory_again_mib": round(again, 1)}
    bound = "imports (urllib3, Ansible's module code), then as above"
    return Figure(
        f"the process of that, no change in {COUNT}",
        "ansible.builtin.ping",
        best,
        ping,
        None,
        bound,
        memory_mib=max(first, again),
        details=details,
    )


def measure(folder: Path, task: Callable[[str, str], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first run and one without a change: seconds, requests and writes."""
    faults = Faults(latency=LATENCY)
    found = []
    with running_double(version=VERSION, faults=faults) as double:
        token = prepare(double)
        for _ in range(2):
            faults.requests.clear()
            ran = play(folder, [task(double.url, token)])
            found.append({"seconds": ran.seconds, "requests": len(faults.requests), "writes": len(faults.writes)})
    return found


def prepare(double: Double) -> str:
    """Make the folder, and a service account; returns its token."""
    with double.client() as client:
        post(client, "/api/folders", {"uid": FOLDER.lower(), "title": FOLDER})
        account = post(client, "/api/serviceaccounts", {"name": "bench", "role": "Admin"})
        return str(post(client, f"/api/serviceaccounts/{account['id']}/tokens", {"name": "bench"})["key"])


def post(client: httpx.Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = client.post(path, json=body).raise_for_status().json()
    return made


def own_arguments(url: str, token: str, src: Path) -> dict[str, Any]:
    return {"grafana": {"url": url, "token": token}, "src": str(src), "folder": FOLDER}


def own_task(url: str, token: str, src: Path) -> Mapping[str, Any]:
    return {"ias.observability.grafana_dashboards": own_arguments(url, token, src)}


def peer_task(url: str, token: str, src: Path) -> Mapping[str, Any]:
    options = {
        "grafana_url": url,
        "grafana_api_key": token,
        "folder": FOLDER,
        "path": "{{ item }}",
        "state": "present",
        "overwrite": True,
    }
    files = sorted(map(str, src.glob("*.json")))
    return {"community.grafana.grafana_dashboard": options, "loop": files, "loop_control": {"label": ""}}


def write_dashboards(folder: Path, count: int) -> None:
    """Copies of one of the platform's own, of about 60 kB each."""
    folder.mkdir()
    spec = json.loads((ROOT / "contracts" / "dashboards" / "system-overview.json").read_text("utf-8"))
    for number in range(count):
        named = {**spec, "uid": f"bench-{number:03}", "title": f"Bench {number:03}"}
        (folder / f"{number:03}.json").write_text(json.dumps(named), encoding="utf-8")
