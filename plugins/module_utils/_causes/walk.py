# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A walk asks, is answered, and goes on: what is asked next depends on the answers, and nothing here asks it itself."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .chain import Step
from .objects import Objects

Kind = Literal[
    "vector",  # PromQL: its samples now
    "labels",  # a selector of series: the labels that they have
    "metric_names",
    "metadata",  # a metric family: the labels of the targets that expose it
    "exposed",  # a job: the metrics that its targets expose
    "targets",
    "pools",  # the scrape pools, each with how many targets relabelling drops
    "rules",
    "cluster",  # the objects of the cluster
    "lines",  # LogQL of numbers: its samples now
    "stream_labels",
    "stream_values",  # a label of log streams
    "spans",  # TraceQL: the traces of the last minutes
    "tags",  # the attributes of spans
    "tag_values",  # an attribute
]


class Question(NamedTuple):
    """One thing to ask; what `text` is depends on the kind."""

    kind: Kind
    text: str = ""


class Sample(NamedTuple):
    labels: Mapping[str, str]
    value: float
    moment: float = 0.0
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered, or why it was not."""

    given: Mapping[Question, Any] = field(default_factory=dict)
    errors: Mapping[Question, str] = field(default_factory=dict)

    def samples(self, question: Question) -> Sequence[Sample]:
        found: Sequence[Sample] = self.given.get(question, ())
        return found

    def texts(self, question: Question) -> Sequence[str]:
        found: Sequence[str] = self.given.get(question, ())
        return found

    def get(self, question: Question) -> Any:
        return self.given.get(question)

    def objects(self) -> Objects:
        return self.given.get(Question("cluster")) or Objects()


Walk = Generator[Sequence[Question], Answers, list[Step]]
"""Yields what it asks, and returns the chain that it has walked."""
