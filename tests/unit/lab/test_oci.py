# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images are a function of their files: same content, same digest; links and modes as they should be."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.lab import oci


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_an_archive_depends_on_content_alone(program: Path, tmp_path: Path) -> None:
    entries = [oci.Entry("/usr/bin/b", source=program), oci.Entry("/usr/bin/a", link="b")]
    oci.pack(entries, tmp_path / "one.tar")
    os.utime(program, (1, 1))
    oci.pack(reversed(entries), tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_what_an_archive_holds(program: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "x.pyc").touch()
    (folder / "note.txt").write_text("n")
    archive = tmp_path / "layer.tar"
    oci.pack([oci.Entry("/p", source=program), oci.Entry("/l", link="p"), oci.Entry("/f", source=folder)], archive)
    with tarfile.open(archive) as tar:
        held = {info.name: (info.mode, info.uid, info.linkname) for info in tar}
    assert held == {"p": (0o755, 0, ""), "l": (0o644, 0, "p"), "f/note.txt": (0o644, 0, "")}


def test_a_layers_digest_is_that_of_its_file_and_is_renewed_with_it(tmp_path: Path) -> None:
    archive = tmp_path / "layer.tar"
    archive.write_bytes(b"one")
    assert oci.layer(archive).digest == f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    archive.write_bytes(b"two")
    os.utime(archive, (2**32, 2**32))
    assert oci.layer(archive).digest == f"sha256:{hashlib.sha256(b'two').hexdigest()}"


def test_an_image_names_its_layers_in_order(tmp_path: Path) -> None:
    for name in ("base", "top"):
        (tmp_path / f"{name}.tar").write_text(name)
    layers = [oci.layer(tmp_path / "base.tar"), oci.layer(tmp_path / "top.tar")]
    image = oci.image(layers, entrypoint=["/p"], user="65534", env=["A=b"])
    config, manifest = (
        json.loads(blob.content) for blob in (image.config, image.manifest) if isinstance(blob.content, bytes)
    )
    assert config["rootfs"]["diff_ids"] == [layer.digest for layer in layers]
    assert config["config"] == {"Entrypoint": ["/p"], "User": "65534", "Env": [oci.PATH, "A=b"]}
    assert [layer["digest"] for layer in manifest["layers"]] == [layer.digest for layer in layers]
    assert manifest["config"]["digest"] == image.config.digest
