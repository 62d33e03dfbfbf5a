# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second process: what it tells arrives, whatever its length, and nothing is left of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import ModuleType

import pytest

from ansible_collections.ias.observability.plugins.module_utils._rules.twin import LostError, Twin

MORE_THAN_A_PIPE_HOLDS = 1 << 20


@pytest.mark.parametrize("count", [0, 1, MORE_THAN_A_PIPE_HOLDS])
def test_each_hears_the_other(count: int) -> None:
    with Twin() as twin:
        heard = twin.exchange((b"1" if twin.first else b"2") * count)
        if not twin.first:
            twin.end(heard + b"!")
        assert heard == b"2" * count
        assert twin.hear() == b"1" * count + b"!"


def test_one_that_has_ended_is_lost() -> None:
    with Twin() as twin:
        if not twin.first:
            twin.end(b"only this")
        assert twin.hear() == b"only this"
        with pytest.raises(LostError):
            twin.hear()


def test_one_that_ends_in_the_middle_of_what_it_tells_is_lost() -> None:
    with Twin() as twin:
        if not twin.first:
            twin._socket.sendall((9).to_bytes(8, "big") + b"three")
            os._exit(0)
        with pytest.raises(LostError):
            twin.hear()


def test_one_that_ends_before_it_hears_is_lost() -> None:
    with Twin() as twin:
        twin.tell(b"nobody reads this")
        if not twin.first:
            os._exit(0)
        os.waitid(os.P_PID, twin._child, os.WEXITED | os.WNOWAIT)
        assert twin.hear() == b"nobody reads this"
        with pytest.raises(LostError):
            twin.hear()


def test_telling_one_that_has_ended_is_found_out_by_its_silence() -> None:
    with Twin() as twin:
        if not twin.first:
            os._exit(0)
        with pytest.raises(LostError):
            twin.hear()
        twin.tell(b"x" * MORE_THAN_A_PIPE_HOLDS)
        with pytest.raises(LostError):
            twin.hear()


def fail_while_it_tells() -> None:
    with Twin() as twin:
        if twin.first:
            raise ValueError("here")
        twin.exchange(b"x" * MORE_THAN_A_PIPE_HOLDS)


def test_one_that_is_not_waited_for_does_not_stay() -> None:
    """Its first word has nobody to hear it, and its question no answer."""
    with pytest.raises(ValueError, match="here"):
        fail_while_it_tells()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(("module", "name"), [(os, "fork"), (socket, "socketpair")])
def test_without_a_process_nothing_is_left_open(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more of them")

    before = sorted(Path("/dev/fd").iterdir())
    monkeypatch.setattr(module, name, refuse)
    with pytest.raises(LostError) as lost:
        Twin()
    assert sorted(Path("/dev/fd").iterdir()) == before, lost  # which holds what has not been closed
