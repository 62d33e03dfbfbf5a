# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images as content-addressed blobs, in OCI's format, straight from files: no engine takes part.

Layers are plain tar archives, as nothing that stays on one machine gains from compression, and deterministic: the
same files give the same digest, so a registry that has the layer is not sent it again.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
BLOCK = 2**20


@dataclass(frozen=True)
class Blob:
    """A file known by its content: a layer on disk, or a small document."""

    media_type: str
    digest: str
    size: int
    content: Path | bytes

    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class Image:
    """What a registry is sent: layers, their configuration, and the manifest that names them."""

    layers: tuple[Blob, ...]
    config: Blob
    manifest: Blob


@dataclass(frozen=True)
class Entry:
    """One path of a layer: a file or folder to copy, or the target of a symbolic link."""

    path: str
    source: Path | None = None
    link: str = ""


def layer(archive: Path) -> Blob:
    """An existing tar archive as a layer. Its digest is kept beside it, as reading hundreds of MB costs seconds."""
    note = archive.with_suffix(".digest")
    if not note.exists() or note.stat().st_mtime < archive.stat().st_mtime:
        whole = hashlib.sha256()
        with archive.open("rb") as stream:
            while block := stream.read(BLOCK):
                whole.update(block)
        note.write_text(f"sha256:{whole.hexdigest()}")
    return Blob(LAYER, note.read_text(), archive.stat().st_size, archive)


def pack(entries: Iterable[Entry], archive: Path) -> None:
    """Write a layer's archive: sorted, owned by root, without times."""
    new = archive.with_suffix(".new")
    with tarfile.open(new, "w") as tar:
        for entry in sorted(entries, key=lambda entry: entry.path):
            if entry.source is None:
                info = tarfile.TarInfo(entry.path.lstrip("/"))
                info.type, info.linkname = tarfile.SYMTYPE, entry.link
                tar.addfile(info)
            else:
                _add(tar, entry.source.resolve(), entry.path.lstrip("/"))
    new.rename(archive)


def _add(tar: tarfile.TarFile, source: Path, name: str) -> None:
    if source.is_dir():
        for child in sorted(source.iterdir()):
            if child.name != "__pycache__":
                _add(tar, child, f"{name}/{child.name}")
        return
    info = tarfile.TarInfo(name)
    info.size, info.mode = source.stat().st_size, 0o755 if source.stat().st_mode & 0o111 else 0o644
    with source.open("rb") as stream:
        tar.addfile(info, stream)


def image(layers: Iterable[Blob], *, entrypoint: list[str], user: str, env: Iterable[str] = ()) -> Image:
    """An image of these layers."""
    stack = tuple(layers)
    config = _document(
        CONFIG,
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": entrypoint, "User": user, "Env": [PATH, *env]},
            "rootfs": {"type": "layers", "diff_ids": [blob.digest for blob in stack]},
        },
    )
    manifest = _document(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(),
            "layers": [blob.descriptor() for blob in stack],
        },
    )
    return Image(stack, config, manifest)


def _document(media_type: str, value: object) -> Blob:
    text = json.dumps(value, sort_keys=True).encode()
    return Blob(media_type, f"sha256:{hashlib.sha256(text).hexdigest()}", len(text), text)
