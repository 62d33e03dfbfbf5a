# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind cluster: one control plane and two workers, the same configuration online and offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.lab import engine, images, node, online_images, releases, toolchain
from tests.lab.mode import Mode
from tests.lab.registry import Registry
from tests.lab.state import CLUSTER, KUBECONFIG, LAB, STATE, LabError, run, succeeds

NETWORK = "kind"
REGISTRY = "ias-lab-registry"
WAIT = "120s"
STORAGE_CLASSES = LAB / "online" / "storage-classes.yaml"


def configuration(mode: Mode, image: str, *, cgroup_v1: bool) -> dict[str, Any]:
    """kind's configuration file; no `image` means kind's own. What differs is what our image or an old host needs."""
    own = {"image": image} if image else {}
    nodes = [{"role": role, **own} for role in ("control-plane", "worker", "worker")]
    # Prometheus' configuration is a mounted Secret; by default a kubelet brings a new one into its pod within a minute.
    kubelet: dict[str, Any] = {"kind": "KubeletConfiguration", "syncFrequency": "10s"}
    if mode == "offline":
        kubelet["resolvConf"] = "/kind/resolv.conf"
    if cgroup_v1:
        kubelet |= {"failCgroupV1": False, "cgroupDriver": "cgroupfs", "cgroupRoot": ""}
    # The host owns the connection tracking table; a node may not size it.
    proxy = {"kind": "KubeProxyConfiguration", "conntrack": {"maxPerCore": 0}}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": nodes,
        "kubeadmConfigPatches": [yaml.safe_dump(patch) for patch in (kubelet, proxy)],
    }


def cgroup_v1() -> bool:
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def environment(mode: Mode) -> dict[str, str]:
    """What kind and docker are told: which engine, and never the user's kubeconfig."""
    return {"KUBECONFIG": str(KUBECONFIG)} | ({"DOCKER_HOST": engine.HOST} if mode == "offline" else {})


def kubectl(*argv: str | Path, stdin: str | None = None) -> str:
    return run([STATE / "bin" / "kubectl", *argv], env={"KUBECONFIG": str(KUBECONFIG)}, stdin=stdin)


def up(mode: Mode) -> None:
    """Make the cluster be there and all its nodes Ready; what a killed run left half made is made anew."""
    STATE.mkdir(exist_ok=True)
    kind, image = STATE / "bin" / "kind", ""
    if mode == "offline":
        toolchain.require(["kind", "kubernetes"])
        engine.start()
        image = node.build()
        _start_registry(image)
        storage = registry()
        storage.await_answer()
        images.publish(images.cluster_images(), storage)
    else:
        releases.require(["kind", "kubectl", "helm"])
    if healthy(kind, mode):
        print(f"cluster {CLUSTER} is up already", flush=True)
        return
    print("creating the cluster: one control plane, two workers ...", flush=True)
    run([kind, "delete", "cluster", "--name", CLUSTER], env=environment(mode))
    KUBECONFIG.unlink(missing_ok=True)
    config = STATE / "kind.yaml"
    config.write_text(yaml.safe_dump(configuration(mode, image, cgroup_v1=cgroup_v1()), sort_keys=False))
    options: list[str | Path] = ["--name", CLUSTER, "--config", config, "--wait", WAIT, "--retain"]
    try:
        run([kind, "create", "cluster", *options], env=environment(mode))
    except LabError as error:
        raise LabError(f"{error}\nThe nodes are kept; `python -m tests.lab logs` collects what they say") from None
    KUBECONFIG.chmod(0o600)
    if mode == "online":
        kubectl("apply", "-f", STORAGE_CLASSES)
    kubectl("wait", "--for=condition=Ready", "nodes", "--all", f"--timeout={WAIT}")


def down(mode: Mode, *, purge: bool = False) -> None:
    """Remove the cluster, and offline the engine with everything in it; `purge` drops the kept images too."""
    kind = STATE / "bin" / "kind"
    if (mode == "online" or engine.our_process()) and kind.exists():
        run([kind, "delete", "cluster", "--name", CLUSTER], env=environment(mode))
    if mode == "online":
        succeeds(online_images.remove())
    if mode == "offline" or engine.our_process():
        engine.stop()
    KUBECONFIG.unlink(missing_ok=True)
    if purge:
        for name in ("engine", "registry"):
            run(["rm", "-rf", STATE / name])


def logs(mode: Mode) -> Path:
    """Collect what nodes and pods have said, as `kind export logs` lays it out, with the engine's own log."""
    place = STATE / "logs"
    run([STATE / "bin" / "kind", "export", "logs", place, "--name", CLUSTER], env=environment(mode))
    if mode == "offline":
        (place / "dockerd.log").write_bytes(engine.LOG.read_bytes())
    return place


def healthy(kind: Path, mode: Mode) -> bool:
    """Whether the cluster is there, complete, answers, and its nodes are Ready."""
    if not KUBECONFIG.exists() or CLUSTER not in run([kind, "get", "clusters"], env=environment(mode)).split():
        return False
    return succeeds(
        [STATE / "bin" / "kubectl", "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=20s"],
        env={"KUBECONFIG": str(KUBECONFIG)},
    )


def registry() -> Registry:
    """The lab's registry, as this machine reaches it."""
    try:
        published = run(["docker", "-H", engine.HOST, "port", REGISTRY, "5000/tcp"])
    except LabError:
        raise LabError("the lab's registry does not run; start the lab with `python -m tests.lab up`") from None
    return Registry(int(published.split()[0].rpartition(":")[2]))


def _start_registry(image: str) -> None:
    docker = ["docker", "-H", engine.HOST]
    if succeeds([*docker, "exec", REGISTRY, "true"]):
        return
    if not succeeds([*docker, "network", "inspect", NETWORK]):
        run([*docker, "network", "create", NETWORK])
    if succeeds([*docker, "inspect", REGISTRY]):
        run([*docker, "rm", "--force", REGISTRY])
    data = STATE / "registry"
    data.mkdir(exist_ok=True)
    volumes = ["-v", f"{data}:/var/lib/registry", "-v", f"{LAB / 'node' / 'registry.yaml'}:/registry.yaml:ro"]
    options = ["--detach", "--name", REGISTRY, "--network", NETWORK, "-p", "127.0.0.1::5000", *volumes]
    run([*docker, "run", *options, "--entrypoint", "docker-registry", image, "serve", "/registry.yaml"])
