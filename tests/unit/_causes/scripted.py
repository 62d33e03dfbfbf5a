# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go a walk with answers that a test wrote down; what is not there is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._causes.chain import Step
from ansible_collections.ias.observability.plugins.module_utils._causes.walk import Answers, Question, Sample, Walk


def series(*label_sets: dict[str, str], value: float = 1.0) -> list[Sample]:
    return [Sample(labels, value) for labels in label_sets]


def follow(walk: Walk, given: Mapping[Question, Any], errors: Mapping[Question, str] | None = None) -> list[Step]:
    try:
        questions: Sequence[Question] = next(walk)
        while True:
            found = {question: given[question] for question in questions if question in given}
            questions = walk.send(Answers(found, errors or {}))
    except StopIteration as end:
        return list(end.value)


def vector(text: str) -> Question:
    return Question("vector", text)
