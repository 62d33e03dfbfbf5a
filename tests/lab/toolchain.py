# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the lab's programs from pinned Go modules, once per machine.

``programs/tools.toml`` lists the programs; the folder of each holds ``go.mod`` and a complete ``go.sum``, so the
same sources are built everywhere and no checksum server is asked. A binary is kept in the user's cache under the
hash of everything that goes into it; another clone finds it there. ``.lab/bin/<name>`` links to it.

Standard library only: the builds start before there is a virtual environment.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).with_name("programs")
BIN = ROOT / ".lab" / "bin"


class ToolchainError(Exception):
    """A program cannot be built; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Tool:
    """One program: what to build, and which version it reports."""

    name: str
    folder: Path
    package: str
    version: str
    version_variables: tuple[str, ...]
    commands: tuple[str, ...]
    on_demand: bool

    @property
    def key(self) -> str:
        """Hash of everything that goes into the binary."""
        digest = hashlib.sha256()
        for source in sorted(self.folder.iterdir()):
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
        digest.update(" ".join(self.argv(Path("out"))).encode())
        return digest.hexdigest()[:16]

    def argv(self, out: Path) -> list[str]:
        stamps = " ".join(f"-X {variable}={self.version}" for variable in self.version_variables)
        return ["go", "build", "-trimpath", "-ldflags", f"-s -w {stamps}".strip(), "-o", str(out), self.package]


def required_version(go_mod: str, module: str) -> str:
    """Version of `module` in the text of a go.mod, as its own release is numbered (``v`` included)."""
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise ToolchainError(f"go.mod does not require {module}; name the module in tools.toml")
    return str(found[1])


def module_of(package: str, go_mod: str) -> str:
    """The required module that holds `package`: the longest one whose path begins it."""
    modules: list[str] = re.findall(r"^(?:require)?\s*(\S+) v\S+", go_mod, re.MULTILINE)
    holders = [module for module in modules if package == module or package.startswith(module + "/")]
    if not holders:
        raise ToolchainError(f"no module in go.mod holds {package}; name the module in tools.toml")
    return max(holders, key=len)


def load(folder: Path = FOLDER) -> dict[str, Tool]:
    """The programs of tools.toml, in build order."""
    tools = {}
    for name, entry in tomllib.loads((folder / "tools.toml").read_text()).items():
        source = folder / entry.get("folder", name)
        go_mod = (source / "go.mod").read_text()
        own = entry.get("own", False)
        module = "" if own else entry.get("module") or module_of(entry["package"], go_mod)
        tools[name] = Tool(
            name=name,
            folder=source,
            package=entry["package"],
            version="own" if own else required_version(go_mod, module),
            version_variables=tuple(entry.get("version", ())),
            commands=tuple(entry.get("commands", ())),
            on_demand=entry.get("on_demand", False),
        )
    return tools


def cache() -> Path:
    """Where binaries are kept; shared by all clones of one user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ias-observability" / "toolchain"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of one program: of two that want it, one builds and the other waits, and says so."""
    path = cache() / f".{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for {name}, which is being built", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def compile_tool(tool: Tool, binary: Path) -> None:
    out = binary.with_suffix(f".{os.getpid()}")
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run(
            tool.argv(out), cwd=tool.folder, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise ToolchainError(
            f"{tool.name}: no `go` on PATH; install Go 1.26 or newer from go.dev or your distribution"
        ) from None
    if done.returncode:
        out.unlink(missing_ok=True)
        tail = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise ToolchainError(
            f"{tool.name}: `go build {tool.package}` in {tool.folder.relative_to(ROOT)} failed:\n{tail}"
        )
    out.rename(binary)


def place(name: str, binary: Path) -> None:
    """Make `.lab/bin/<name>` point at a binary."""
    BIN.mkdir(parents=True, exist_ok=True)
    link, new = BIN / name, BIN / f".{name}.{os.getpid()}.{threading.get_ident()}"
    if link.is_symlink() and link.readlink() == binary:
        return
    new.symlink_to(binary)
    new.replace(link)


def require(names: Iterable[str]) -> dict[str, Path]:
    """Paths of the named programs, each built if it is not in the cache, or awaited if another process builds it.

    Raises ToolchainError for an unknown name and for a failed build.
    """
    tools = load()
    wanted = list(names)
    if unknown := [name for name in wanted if name not in tools]:
        raise ToolchainError(f"unknown program(s) {', '.join(unknown)}; tools.toml has {', '.join(tools)}")
    paths = {}
    for number, name in enumerate(wanted, 1):
        tool = tools[name]
        binary = cache() / f"{name}-{tool.key}"
        if not binary.exists():
            with locked(name):
                if not binary.exists():
                    started = time.monotonic()
                    print(f"[{number}/{len(wanted)}] building {name} {tool.version} ...", flush=True)
                    compile_tool(tool, binary)
                    print(f"[{number}/{len(wanted)}] built {name} in {time.monotonic() - started:.0f} s", flush=True)
        for link in (name, *tool.commands):  # a multi-call program has several names
            place(link, binary)
        paths[name] = BIN / name
    return paths


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.toolchain", description="Build the lab's programs.")
    parser.add_argument("names", nargs="*", help="programs (default: all that are not built on demand only)")
    names = parser.parse_args(argv).names or [tool.name for tool in load().values() if not tool.on_demand]
    try:
        require(names)
    except ToolchainError as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
