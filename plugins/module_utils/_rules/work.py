# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The long part of a run: every source read, every rule looked at; by two processes where that pays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from .._findings import Finding
from .._promql import Profile
from . import shares
from .context import Index, Settings
from .each import look
from .files import Source
from .lint_set import check_set
from .load import outline
from .model import RuleFile
from .parcels import Read, pack, unpack
from .report import Report
from .twin import LostError, Twin

if TYPE_CHECKING:
    from .contract import Contract

Done = tuple[list[RuleFile], Index, list[Finding]]
"""What was read, what it defines, and what there is to say of each file and rule, in no certain order."""


class Work(NamedTuple):
    sources: Sequence[Source]
    profile: Profile
    settings: Settings
    contract: Contract | None = None

    def done(self) -> Done:
        halves = shares.halves(self.sources)
        if halves is not None:
            with suppress(LostError):
                return self._in_two(*halves)
        return self._alone()

    def _alone(self) -> Done:
        read, findings = self._read(self.sources)
        files, index = self._index(read)
        return files, index, findings + look(index.rules, index, self.settings) + check_set(index)

    def _in_two(self, ours: Sequence[Source], theirs: Sequence[Source]) -> Done:
        """Either process reads one half, hears what the other has read, and looks at half of all rules."""
        with Twin() as twin:
            mine, its = (ours, theirs) if twin.first else (theirs, ours)
            read, findings = self._read(mine)
            other, told = unpack(twin.exchange(pack(read, findings)), its, self.profile)
            files, index = self._index(read + other if twin.first else other + read)
            found = look(shares.share(index.rules, first=twin.first), index, self.settings)
            if not twin.first:
                twin.end(pack([], found))
            found += check_set(index)
            _none, rest = unpack(twin.hear(), [], self.profile)
            return files, index, findings + told + found + rest

    def _read(self, sources: Iterable[Source]) -> tuple[Read, list[Finding]]:
        report = Report()
        return [outline(source.path, source.text, self.profile, report) for source in sources], report.findings

    def _index(self, read: Read) -> tuple[list[RuleFile], Index]:
        files = list(chain.from_iterable(read))
        return files, Index.of(files, self.contract)
