# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of one run, done by two processes."""

from __future__ import annotations

from collections.abc import Sequence

from .each import look
from .files import Source
from .lint_set import check_set
from .parcels import pack, unpack
from .shares import share
from .twin import LostError, Twin
from .work import Done, Work


def done(work: Work, ours: Sequence[Source], theirs: Sequence[Source]) -> Done | None:
    """Either process reads one half, hears what the other has read, and looks at half of all rules.

    None where there is no second process, or it did not come to its end.
    """
    try:
        with Twin() as twin:
            mine, its = (ours, theirs) if twin.first else (theirs, ours)
            read, findings = work.read(mine)
            other, told = unpack(twin.exchange(pack(read, findings)), its, work.profile)
            files, index = work.indexed(read + other if twin.first else other + read)
            found = look(share(index.rules, first=twin.first), index, work.settings)
            if not twin.first:
                twin.end(pack([], found))
            found += check_set(index)
            _none, rest = unpack(twin.hear(), [], work.profile)
            return files, index, findings + told + found + rest
    except LostError:
        return None
