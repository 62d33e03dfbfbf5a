# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The long part of a run: every source read, every rule looked at; by two processes where that pays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .. import _rules
from .._findings import Finding
from .._promql import Profile
from .context import Index, Settings
from .each import look
from .files import Source
from .lint_set import check_set
from .load import outline
from .model import RuleFile
from .report import Report
from .shares import halves

if TYPE_CHECKING:
    from .contract import Contract

Read: TypeAlias = list[list[RuleFile]]
"""Of each source the rule files in it."""
Done: TypeAlias = tuple[list[RuleFile], Index, list[Finding]]
"""What was read, what it defines, and what there is to say of files, rules and their set, in no certain order."""


class Work(NamedTuple):
    sources: Sequence[Source]
    profile: Profile
    settings: Settings
    contract: Contract | None = None

    def done(self) -> Done:
        if (shared := halves(self.sources)) is not None:
            done = _rules.pair.done(self, *shared)
            if done is not None:
                return done
        read, findings = self.read(self.sources)
        files, index = self.indexed(read)
        return files, index, findings + look(index.rules, index, self.settings) + check_set(index)

    def read(self, sources: Iterable[Source]) -> tuple[Read, list[Finding]]:
        report = Report()
        return [outline(source.path, source.text, self.profile, report) for source in sources], report.findings

    def indexed(self, read: Read) -> tuple[list[RuleFile], Index]:
        files = list(chain.from_iterable(read))
        return files, Index.of(files, self.contract)
