# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .proofs import Proof, one_line

HEADINGS = ("", "PROOF", "PASSED", "SECONDS")
WIDTH = 72


def table(proofs: Sequence[Proof]) -> list[str]:
    """The table, under it what was found, and then every error. Short lines: Ansible's output breaks long ones."""
    cells = [
        HEADINGS,
        *(
            ("ok" if proof.ok else "FAILED", proof.title, f"{proof.passed}/{proof.checked}", shown(proof.seconds))
            for proof in proofs
        ),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    for proof in proofs:
        lines += wrap(f"{proof.title}: {proof.facts}") if proof.ok and proof.facts else []
    for proof in proofs:
        lines += [f"{proof.title} FAILED:"] if proof.errors else []
        lines += [line for error in proof.errors for line in wrap(one_line(error), bullet="* ")]
    return lines


def shown(seconds: float) -> str:
    """Empty where nobody knows."""
    return f"{seconds:.1f}" if seconds else ""


def wrap(text: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=bullet,  # not a word: a long one after it stays on its line
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
