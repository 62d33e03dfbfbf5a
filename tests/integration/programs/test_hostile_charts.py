# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Charts that were made to take time and memory: each is answered within 5 s and 100 MiB."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ansible_collections.ias.observability.plugins.module_utils._values.source import files_of

SECONDS = 5.0
MIB = 100
CHART = {"api/Chart.yaml": b"{name: api, version: 1.2.3}", "api/values.yaml": b"replicas: 1\n"}
READ = """
import json, resource, sys, time
from pathlib import Path
from ansible_collections.ias.observability.plugins.module_utils._sources import Source
from ansible_collections.ias.observability.plugins.module_utils._values import chart, check, source
memory = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start, message = memory(), time.monotonic(), ""
try:
    read = chart.read(source.files_of(Path(sys.argv[1])), "api")
    check.check(read, [Source("v.yaml", "replicas: 2")])
except chart.ChartError as error:
    message = str(error)
print(json.dumps([message, time.monotonic() - start, memory() - before]))
"""


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def tar(files: Mapping[str, bytes], *raw: bytes) -> bytes:
    members = b"".join(header(name, len(content)) + padded(content) for name, content in files.items())
    return members + b"".join(raw) + bytes(2 * tarfile.BLOCKSIZE)


def packed(files: Mapping[str, bytes], *raw: bytes) -> bytes:
    return gzip.compress(tar(files, *raw), 1)


def zeros(head: bytes, mib: int, files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar that begins with `head` and goes on with zeros, written piece by piece."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as stream:
        stream.write(tar(files)[: -2 * tarfile.BLOCKSIZE] + head)
        for _ in range(mib):
            stream.write(bytes(1 << 20))
    return out.getvalue()


def old_sparse() -> bytes:
    """GNU's own format: a map of one byte, and a size of 3 GiB that is nowhere."""
    member = bytearray(header("api/templates/x.yaml", 512, tarfile.GNUTYPE_SPARSE))
    member[386:410] = b"00000000000\0" + b"00000001000\0"
    member[483:495] = b"30000000000\0"
    member[148:156] = b" " * 8
    member[148:156] = b"%06o\0 " % sum(member)
    return packed(CHART, bytes(member), bytes(512))


def extended(*records: tuple[str, str]) -> bytes:
    body = b""
    for key, value in records:
        record = f" {key}={value}\n".encode()
        length = len(record)
        while length != len(str(length)) + len(record):
            length = len(str(length)) + len(record)
        body += str(length).encode() + record
    return header("x", len(body), tarfile.XHDTYPE) + padded(body)


def new_sparse() -> bytes:
    """The map of format 1.0 stands in the file itself, as long as it likes."""
    records = extended(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", str(3 << 30)))
    content = b"9000000\n" + b"1\n" * 9_000_000
    return packed(CHART, records, header("api/templates/x.yaml", len(content)), padded(content))


def nested(levels: int, inner: bytes) -> bytes:
    for _ in range(levels):
        inner = packed({**CHART, "api/charts/db.tgz": inner})
    return inner


def fan(levels: int) -> bytes:
    """Each archive holds ten of the next."""
    inner = zeros(header("api/templates/x.yaml", 60 << 20), 60, CHART)
    for _ in range(levels):
        inner = packed({**CHART, **{f"api/charts/c{at}.tgz": inner for at in range(10)}})
    return inner


def deep_names(count: int) -> bytes:
    name = "api/" + "charts/a/" * count + "Chart.yaml"
    return packed(CHART, extended(("path", name)), header("x", 4), padded(b"a: 1"))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "sparse": (old_sparse, "a sparse file"),
    "sparse in an extended header": (new_sparse, "sparse"),
    "extended header": (lambda: zeros(header("x", 100 << 20, tarfile.XHDTYPE), 100, CHART), "it has a header of"),
    "global header": (lambda: zeros(header("x", 100 << 20, tarfile.XGLTYPE), 100, CHART), "unpacks to more"),
    "long name": (lambda: zeros(header("x", 100 << 20, tarfile.GNUTYPE_LONGNAME), 100, CHART), "it has a header of"),
    "one file": (lambda: zeros(header("api/templates/x.yaml", 100 << 20), 100, CHART), "more than 5 MiB"),
    "a file that is not looked at": (lambda: zeros(header("api/crds/x.bin", 100 << 20), 100, CHART), "unpacks to more"),
    "nested": (lambda: nested(5, zeros(header("api/x.bin", 100 << 20), 100, CHART)), "unpacks to more"),
    "nested without end": (lambda: nested(50, packed(CHART)), "more than 5 deep"),
    "a tree of archives": (lambda: fan(2), "more than"),
    "zeros after the end": (lambda: zeros(bytes(1024), 100, CHART), ""),
    "members": (lambda: packed(CHART, header("api/x", 0) * 30_000), "more members"),
    "headers alone": (lambda: packed(CHART, extended(("path", "x" * 8000)) * 30_000), "more"),
    "folders": (lambda: deep_names(800), "folders more than 30 deep"),
    "texts": (lambda: packed({**CHART, **{f"api/templates/{at}.yaml": b"x" * (4 << 20) for at in range(6)}}), "16 MiB"),
    "wide texts": (
        lambda: packed({**CHART, **{f"api/templates/{at}.yaml": b"x" * (3 << 20) + "😀".encode() for at in range(5)}}),
        "",
    ),
    "values": (
        lambda: packed({**CHART, "api/values.yaml": b"a:\n" * (1 << 20)}),
        "values.yaml in it has more than 1 MiB",
    ),
    "schema": (lambda: packed({**CHART, "api/values.schema.json": b"[" * (1 << 20)}), "values.schema.json"),
    "open braces": (lambda: packed({**CHART, "api/templates/x.yaml": b".Values" + b"{{ " * (1 << 20)}), ""),
    "open comments": (lambda: packed({**CHART, "api/templates/x.yaml": b".Values" + b"{{/*" * (1 << 20)}), ""),
    "brackets": (
        lambda: packed(
            {**CHART, "api/templates/x.yaml": b"{{" + b"(" * (1 << 20) + b".Values.a" + b")" * (1 << 20) + b"}}"}
        ),
        "",
    ),
    "spaces": (lambda: packed({**CHART, "api/templates/x.yaml": b".Values {{" + b" " * (4 << 20)}), ""),
    "a record without length": (
        lambda: packed(CHART, header("x", 4, tarfile.XHDTYPE), padded(b"0 a=")),
        "extended header",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_is_answered_in_bounded_time_and_memory(name: str, tmp_path: Path) -> None:
    build, expected = HOSTILE[name]
    (tmp_path / "api.tgz").write_bytes(build())
    command = [sys.executable, "-c", READ, str(tmp_path / "api.tgz")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment)
    message, seconds, mib = json.loads(done.stdout)
    assert expected in message
    assert bool(message) == bool(expected)
    assert seconds < SECONDS
    assert mib < MIB


def test_long_names_are_read_as_go_and_python_write_them(tmp_path: Path) -> None:
    name = "templates/" + "long/" * 25 + "x.yaml"
    for format_ in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        from_python = io.BytesIO()
        with tarfile.open(fileobj=from_python, mode="w:gz", format=format_) as archive:
            for path, content in (*CHART.items(), (f"api/{name}", b"{{ .Values.replicas }}")):
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        assert set(members_of(from_python.getvalue(), tmp_path)) == {"Chart.yaml", "values.yaml", name}


def members_of(archive: bytes, folder: Path) -> dict[str, str]:
    (folder / "api.tgz").write_bytes(archive)
    return files_of(folder / "api.tgz")
