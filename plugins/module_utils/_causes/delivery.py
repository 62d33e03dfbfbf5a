# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an alert reaches nobody: silenced, inhibited, routed elsewhere, refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .chain import Step, broken, listed


def suppressed(
    silences: Mapping[str, str], inhibitors: Mapping[str, str], silenced_by: Sequence[str], inhibited_by: Sequence[str]
) -> Iterator[Step]:
    """What keeps an alert back. `silences`: id → author and comment; `inhibitors`: fingerprint → alert's name."""
    if silenced_by:
        told = [f"{identity} ({silences[identity]})" if identity in silences else identity for identity in silenced_by]
        yield broken(f"silence {listed(told)} keeps the alert back", "Expire the silence, or make it narrower")
    if inhibited_by:
        names = sorted({inhibitors.get(identity, identity) for identity in inhibited_by})
        text = f"the alert is inhibited by {listed(names)}, which fires, too"
        yield broken(text, "Resolve that one first; or make the inhibition narrower in alertmanager.yaml")


def notified(
    receivers: Sequence[str], failures: Mapping[str, str], integrations: Mapping[str, Counter[str]]
) -> Iterator[Step]:
    """Whether the receivers of an alert take it. `failures`: receiver → reason and last error."""
    for name in receivers:
        if name in failures:
            yield broken(
                f"receiver {name} does not take notifications: {failures[name]}", "Correct its address or its key"
            )
        elif not integrations.get(name):
            yield broken(
                f"receiver {name} has no integration: nobody is notified", "Give it one (prometheus_receivers)"
            )
        else:
            yield Step(f"receiver {name} takes notifications by {listed(sorted(integrations[name]))}")
