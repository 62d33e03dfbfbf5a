# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`site.yml` on the lab, killed at a chosen moment. The lab must run; what is deployed there is removed first."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._kube import Cluster, connect
from ansible_collections.ias.observability.plugins.module_utils._release import crds, history

ROOT = Path(__file__).resolve().parents[3]
KUBECONFIG = ROOT / ".lab/kubeconfig"
NAMESPACE = "ias-system"
RELEASES = ("prometheus", "loki", "alloy", "tempo")
MARK = "IAS_KILL_TEST"


class Lab:
    """What the tests ask of the lab's cluster."""

    def __init__(self) -> None:
        self.cluster = Cluster(connect({"kubeconfig": str(KUBECONFIG)}))

    def revision(self, release: str) -> tuple[int, str]:
        """Number and status of the release's newest revision."""
        revision = history.latest(self.cluster, NAMESPACE, release)
        return (revision.number, revision.status) if revision else (0, "")

    def status(self, release: str) -> str:
        return self.revision(release)[1]

    def definitions(self) -> set[str]:
        names = {item["metadata"]["name"] for item in self.cluster.names(crds.PATH)}
        return {name for name in names if name.endswith(".monitoring.coreos.com")}

    def clear(self) -> None:
        """Remove the stack, so that the next run installs it."""
        helm = [str(ROOT / ".lab/bin/helm"), "--kubeconfig", str(KUBECONFIG), "--namespace", NAMESPACE]
        subprocess.run([*helm, "uninstall", "--ignore-not-found", "--wait", *RELEASES], check=True)
        kubectl = [str(ROOT / ".lab/bin/kubectl"), "--kubeconfig", str(KUBECONFIG)]
        if found := self.definitions():
            subprocess.run([*kubectl, "delete", "crd", *found], check=True)


@pytest.fixture(scope="session")
def lab() -> Lab:
    if not KUBECONFIG.exists():
        pytest.fail("the lab does not run with the platform on it: make test-kill starts both")
    return Lab()


class Site:
    """One run of site.yml. Its processes carry a mark: Ansible's workers leave the process group."""

    def __init__(self, *options: str) -> None:
        self.mark = uuid.uuid4().hex
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("site.yml", "-i", "inventories/lab", "--skip-tags", "verify"),
                # The lease of a run that was killed expires before the next one stops waiting, and so does its Helm.
                *("-e", '{"observability_lease_duration": 60, "observability_lease_wait_timeout": 120}'),
                *("-e", "observability_pending_after=60"),
                *options,
            ],
            cwd=ROOT,
            env={**os.environ, MARK: self.mark, "PYTHONUNBUFFERED": "1", "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, text: str) -> None:
        """Follow the output to a line with `text`."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return
        pytest.fail(f"the run ended before {text!r}:\n{''.join(self.lines[-40:])}")

    def finish(self) -> str:
        assert self.process.stdout
        self.lines += self.process.stdout.readlines()
        output = "".join(self.lines)
        assert self.process.wait() == 0, output[-6000:]
        return output

    def kill_when(self, condition: Callable[[], bool]) -> None:
        """Kill at a moment that may last some milliseconds: Helm is halted while one looks."""
        helm: list[int] = []

        def halted_at_it() -> bool:
            # A search takes longer than the moment may last: only for a Helm that is not known yet.
            if not _signal(helm, signal.SIGSTOP):
                helm[:] = _marked(self.mark, "helm")
                _signal(helm, signal.SIGSTOP)
            if condition():
                return True
            _signal(helm, signal.SIGCONT)
            return False

        awaited(halted_at_it)
        self.kill()

    def kill(self) -> None:
        """SIGKILL for everything that the run has started, until nothing is left of it."""
        while _signal(list(_marked(self.mark)), signal.SIGKILL):
            self.process.poll()
        self.process.wait()


def _signal(pids: list[int], number: signal.Signals) -> bool:
    """Whether one of them was still there."""
    reached = False
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            reached = True
    return reached


def _marked(mark: str, program: str = "") -> Iterator[int]:
    """Processes with the mark in their environment; with `program`, those alone that run it."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if program and (entry / "comm").read_text().strip() != program:
                    continue
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)


def awaited(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the moment to kill did not come"
        time.sleep(0.005)  # what Helm may do between two looks


def changed(output: str) -> int:
    return sum(int(number) for number in re.findall(r"changed=(\d+)", output))
