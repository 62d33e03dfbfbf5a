# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own container engine: Debian's dockerd on a socket and in folders of its own.

It is used only where no engine answers, and `stop` takes back everything that it changed on the machine: containers,
networks, volumes, mounts, the bridge, packet filter chains and the forwarding switches.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.lab import toolchain
from tests.lab.state import ROOT, STATE, LabError, digest, run, succeeds

# A socket's path has 108 bytes at most, a checkout's may be longer.
RUNTIME = Path("/run") / f"ias-lab-{digest(str(ROOT))}"
DATA = STATE / "engine"
SOCKET = RUNTIME / "docker.sock"
PID_FILE = RUNTIME / "docker.pid"
BEFORE = DATA / "before.json"
LOG = DATA / "dockerd.log"
HOST = f"unix://{SOCKET}"

PACKAGES = {"dockerd": "docker.io", "mmdebstrap": "mmdebstrap", "iptables": "iptables", "ip": "iproute2"}
MINIMUM_FREE = 15 * 2**30
START_SECONDS = 60
CAP_SYS_RESOURCE = 24
SWITCHES = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/bridge/bridge-nf-call-iptables")
CHAINS = ("DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER", "DOCKER")


def install() -> None:
    """Debian's packages that building and running need; says which it installs."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if not missing:
        return
    if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        missing.append("debian-archive-keyring")
    print(f"installing {', '.join(missing)}", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet)


def lacks_resource_capability() -> bool:
    """Whether this machine withholds CAP_SYS_RESOURCE, without which runc cannot start a privileged node."""
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return not int(effective.split()[1], 16) >> CAP_SYS_RESOURCE & 1


def our_process() -> int | None:
    """The process id of our dockerd; None when it does not run, or the number belongs to something else by now."""
    return _process(RUNTIME)


def others() -> list[Path]:
    """The folders of other checkouts' engines that run."""
    return [folder for folder in sorted(RUNTIME.parent.glob("ias-lab-*")) if folder != RUNTIME and _process(folder)]


def _process(folder: Path) -> int | None:
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        pid = int((folder / PID_FILE.name).read_text())
        if str(folder / SOCKET.name) in Path(f"/proc/{pid}/cmdline").read_bytes().decode():
            return pid
    return None


def start() -> None:
    """Start the engine unless it runs. Needs root."""
    if our_process() and succeeds(["docker", "-H", HOST, "version"]):
        return
    if running := others():
        sockets = ", ".join(f"unix://{folder / SOCKET.name}" for folder in running)
        message = f"another lab runs on this machine ({sockets}): both would use the same bridge and packet filter"
        raise LabError(f"{message}; stop it with `make demo-down` in its checkout, or if that is gone kill its dockerd")
    if os.geteuid():
        raise LabError("the offline lab starts a container engine and needs root; or install Docker and use LAB=online")
    free = shutil.disk_usage(STATE).free
    if free < MINIMUM_FREE:
        raise LabError(f"{STATE} has {free >> 30} GiB free, the lab needs {MINIMUM_FREE >> 30} GiB; make room")
    install()
    stop()
    DATA.mkdir(parents=True, exist_ok=True)
    RUNTIME.mkdir(mode=0o700, exist_ok=True)
    BEFORE.write_text(json.dumps(_switches()))
    argv = ["dockerd", "--data-root", str(DATA / "data"), "--exec-root", str(RUNTIME / "exec")]
    argv += ["-p", str(PID_FILE), "-H", HOST]
    if lacks_resource_capability():
        wrapper = toolchain.require(["runc-without-resources"])["runc-without-resources"].resolve()
        argv += ["--add-runtime", f"relaxed={wrapper}", "--default-runtime", "relaxed"]
    with LOG.open("wb") as log:
        engine = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while not succeeds(["docker", "-H", HOST, "version"]):
        if engine.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"dockerd did not start; its log is {LOG}:\n{LOG.read_text(errors='replace')[-800:]}")
        time.sleep(0.2)


def stop() -> None:
    """Stop our engine, if it runs, and take back what it left on the machine. Images are kept for the next time."""
    pid = our_process()
    if pid:
        containers = run(["docker", "-H", HOST, "ps", "-aq"]).split()
        if containers:
            run(["docker", "-H", HOST, "rm", "--force", "--volumes", *containers])
        run(["docker", "-H", HOST, "network", "prune", "--force"])
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while our_process():
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    _unmount(RUNTIME)
    _unmount(DATA)
    shutil.rmtree(RUNTIME, ignore_errors=True)
    if BEFORE.exists():
        _restore(json.loads(BEFORE.read_text()))
        BEFORE.unlink()


def _switches() -> dict[str, str]:
    """What starting an engine changes on the machine, as it is now."""
    found = {}
    for name in SWITCHES:
        with suppress(FileNotFoundError):
            found[name] = Path("/proc/sys", name).read_text().strip()
    for program in ("iptables", "ip6tables"):
        with suppress(LabError):
            found[program] = run([program, "-S", "FORWARD"]).splitlines()[0].split()[-1]
    return found


def _restore(before: dict[str, str]) -> None:
    if Path("/sys/class/net/docker0").exists():
        run(["ip", "link", "delete", "docker0"])
    for program in ("iptables", "ip6tables"):
        for table in ("nat", "filter"):
            with suppress(LabError):
                _drop_rules(program, table)
        if program in before:
            succeeds([program, "-P", "FORWARD", before[program]])
    for name in SWITCHES:
        if name in before:
            with suppress(OSError):
                Path("/proc/sys", name).write_text(before[name])


def _drop_rules(program: str, table: str) -> None:
    """Remove the engine's chains and every rule that names one of them or its bridge."""
    for rule in run([program, "-t", table, "-S"]).splitlines():
        words = rule.split()
        if words[0] == "-A" and ({*CHAINS, "docker0"} & set(words) or "172.17.0.0/16" in words):
            run([program, "-t", table, "-D", *words[1:]])
    for chain in CHAINS:
        if succeeds([program, "-t", table, "-F", chain]):
            run([program, "-t", table, "-X", chain])


def _unmount(folder: Path) -> None:
    """Unmount everything below a folder, the deepest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((p for p in points if p.startswith(f"{folder}/")), reverse=True):
        succeeds(["umount", "--lazy", point])
