# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published programs: only what its project vouches for is kept, and what cannot be had is built."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.lab import releases, toolchain
from tests.lab.state import LabError

CONTENT = b"#!/bin/sh\necho program\n"


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(toolchain, "BIN", tmp_path / "bin")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def archive(member: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        info = tarfile.TarInfo(member)
        info.size = len(CONTENT)
        tar.addfile(info, io.BytesIO(CONTENT))
    return whole.getvalue()


def site(content: bytes, vouched: bytes | None = None) -> Callable[[str], bytes]:
    """A site that has one download, and its SHA-256 in the form that they publish it."""
    digest = hashlib.sha256(vouched or content).hexdigest()
    return lambda address: f"{digest}  some-file\n".encode() if "sha256" in address else content


def test_a_program_is_downloaded_once_and_can_be_run() -> None:
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return site(CONTENT)(address)

    releases.require(["kubectl"], fetch)
    releases.require(["kubectl"], fetch)
    version = toolchain.load()["kubernetes"].version
    assert asked[0] == f"https://dl.k8s.io/release/{version}/bin/linux/amd64/kubectl"
    assert len(asked) == 2
    binary = toolchain.BIN / "kubectl"
    assert binary.read_bytes() == CONTENT
    assert binary.stat().st_mode & 0o111


def test_a_program_is_taken_out_of_its_archive() -> None:
    releases.require(["helm"], site(archive("linux-amd64/helm")))
    assert (toolchain.BIN / "helm").read_bytes() == CONTENT


def test_a_download_that_its_project_does_not_vouch_for_is_refused_and_not_kept() -> None:
    with pytest.raises(LabError, match="SHA-256"):
        releases.require(["kind"], site(b"something else", vouched=CONTENT))
    assert not releases.load()["kind"].binary.exists()
    assert not (toolchain.BIN / "kind").exists()


def test_where_the_site_does_not_answer_the_program_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[str] = []

    def build(names: Iterable[str]) -> None:
        built.extend(names)

    def refuse(address: str) -> bytes:
        raise OSError("refused")

    monkeypatch.setattr(toolchain, "require", build)
    releases.require(["kubectl", "kind"], refuse)
    assert built == ["kubernetes", "kind"]
    assert "does not answer (refused); building kubernetes instead" in capsys.readouterr().out
