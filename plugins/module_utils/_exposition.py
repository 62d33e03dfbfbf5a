# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples out of the text of /metrics."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

_SAMPLE = re.compile(
    r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})?[ \t]+([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?=\s|$)", re.MULTILINE
)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One series as it is now."""

    name: str
    labels: dict[str, str]
    value: float


def samples(metrics: str, names: Collection[str]) -> Iterator[Sample]:
    """The finite samples of these metrics; lines that are none are passed over."""
    for name, labels, value in _SAMPLE.findall(metrics):
        if name in names:
            yield Sample(name, {key: unescaped(text) for key, text in _LABEL.findall(labels)}, float(value))


def unescaped(text: str) -> str:
    """Text between quotes, as Prometheus and logfmt escape it."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)
