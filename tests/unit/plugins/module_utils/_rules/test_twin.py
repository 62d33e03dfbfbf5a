# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second process: what it tells arrives, whatever its length, and nothing is left of it."""

from __future__ import annotations

import os

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


def test_one_that_ends_in_the_middle_of_what_it_tells_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with Twin() as twin:
        if not twin.first:
            monkeypatch.setattr(os, "write", lambda to, told: write(to, told[:3]) and os._exit(0))
            twin.tell(b"more than three")
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


def test_without_a_process_there_is_no_pipe_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("no more processes")

    made: list[tuple[int, int]] = []
    pipe = os.pipe
    monkeypatch.setattr(os, "pipe", lambda: made.append(pipe()) or made[-1])
    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(LostError):
        Twin()
    assert len(made) == 2
    for end in [end for ends in made for end in ends]:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)
