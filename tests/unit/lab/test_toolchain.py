# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's toolchain: which version is built, under which key it is kept, and what a failed build says."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import toolchain

GO_MOD = """module lab.invalid/x

require github.com/prometheus/prometheus v0.316.0

require (
	github.com/prometheus/common v0.70.0 // indirect
	github.com/prometheus/prometheus/web v1.0.0
)
"""


@pytest.fixture
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(toolchain, "BIN", tmp_path / "bin")
    return toolchain.cache()


def test_every_program_has_a_pinned_version_and_complete_sums() -> None:
    for tool in toolchain.load().values():
        assert tool.version == "own" or tool.version.startswith("v"), tool.name
        assert tool.version == "own" or (tool.folder / "go.sum").stat().st_size > 0, tool.name


def test_the_version_is_the_one_of_the_module_that_holds_the_package() -> None:
    assert (
        toolchain.module_of("github.com/prometheus/prometheus/cmd/promtool", GO_MOD)
        == "github.com/prometheus/prometheus"
    )
    assert (
        toolchain.module_of("github.com/prometheus/prometheus/web/ui", GO_MOD) == "github.com/prometheus/prometheus/web"
    )
    assert toolchain.required_version(GO_MOD, "github.com/prometheus/common") == "v0.70.0"


def test_a_module_that_go_mod_does_not_require_is_named() -> None:
    with pytest.raises(toolchain.ToolchainError, match=r"go\.mod does not require example\.org/y"):
        toolchain.required_version(GO_MOD, "example.org/y")


def test_the_key_changes_with_the_sources_and_the_flags(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(GO_MOD)
    tool = toolchain.Tool("x", tmp_path, ".", "v1.0.0", ("main.Version",), (), on_demand=False)
    first = tool.key
    assert replace(tool, version="v1.0.1").key != first
    (tmp_path / "go.sum").write_text("more\n")
    assert tool.key != first


def test_an_unknown_program_is_named_with_the_known_ones() -> None:
    with pytest.raises(toolchain.ToolchainError, match=r"unknown program\(s\) helmet; tools\.toml has kind, helm"):
        toolchain.require(["helmet"])


def test_a_build_that_fails_tells_what_the_compiler_said_and_leaves_nothing(
    private_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = toolchain.ROOT / "meta"
    tool = toolchain.Tool("x", folder, "./does-not-exist", "v1", (), (), on_demand=False)
    monkeypatch.setattr(toolchain, "load", lambda: {"x": tool})
    with pytest.raises(toolchain.ToolchainError, match=r"x: `go build \./does-not-exist` in meta failed:\n.+"):
        toolchain.require(["x"])
    assert [path.name for path in private_cache.iterdir()] == [".x.lock"]


def test_two_that_want_one_program_build_it_once(private_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def compile_tool(tool: toolchain.Tool, binary: Path) -> None:
        built.append(tool.name)
        binary.write_text("program")

    monkeypatch.setattr(toolchain, "compile_tool", compile_tool)
    callers = [threading.Thread(target=toolchain.require, args=(["kind", "kubernetes"],)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(built) == ["kind", "kubernetes"]
    assert (toolchain.BIN / "kubectl").resolve().name.startswith("kubernetes-")
