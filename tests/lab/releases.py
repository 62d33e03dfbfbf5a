# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs as their projects publish them, for LAB=online: downloaded once, checked, kept beside the built ones."""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.lab import toolchain
from tests.lab.state import LabError

TABLE = toolchain.FOLDER / "releases.toml"
TIMEOUT = 30

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Release:
    """One published program: addresses of the download and of its SHA-256, and where it lies in an archive."""

    name: str
    tool: str
    version: str
    address: str
    checksum: str
    member: str

    @property
    def binary(self) -> Path:
        return toolchain.cache() / f"{self.name}-{self.version}"


def load(path: Path = TABLE) -> dict[str, Release]:
    tools = toolchain.load()
    releases = {}
    for name, entry in tomllib.loads(path.read_text()).items():
        tool = entry.get("tool", name)
        version = tools[tool].version
        address, checksum = (entry[key].format(version=version) for key in ("address", "checksum"))
        releases[name] = Release(name, tool, version, address, checksum, entry.get("member", ""))
    return releases


def read(address: str) -> bytes:
    """The file at an address; OSError when it cannot be had."""
    try:
        answer = urllib3.request("GET", address, timeout=TIMEOUT, retries=1)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from None
    if answer.status != 200:
        raise OSError(f"status {answer.status}")
    return answer.data


def require(names: Iterable[str], fetch: Read = read) -> None:
    """Make `.lab/bin/<name>` be there: from the cache, else downloaded, else built where its site does not answer.

    Raises LabError when a download is not what its project says it is, ToolchainError when a build fails.
    """
    releases = load()
    for name in names:
        release = releases[name]
        if not release.binary.exists():
            try:
                _download(release, fetch)
            except OSError as error:
                print(f"{release.address} does not answer ({error}); building {release.tool} instead", flush=True)
                toolchain.require([release.tool])
                continue
        toolchain.place(name, release.binary)


def _download(release: Release, fetch: Read) -> None:
    if platform.machine() != "x86_64":
        raise OSError(f"the table has no program for {platform.machine()}")
    print(f"downloading {release.name} {release.version} ...", flush=True)
    content, wanted = fetch(release.address), fetch(release.checksum).split()[0].decode()
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise LabError(f"{release.address} has SHA-256 {found}, its project says {wanted}; nothing was kept, try again")
    if release.member:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            held = archive.extractfile(release.member)
            if held is None:
                raise LabError(f"{release.address} holds no file {release.member}; correct {TABLE.name}")
            content = held.read()
    release.binary.parent.mkdir(parents=True, exist_ok=True)
    new = release.binary.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o755)
    new.rename(release.binary)
