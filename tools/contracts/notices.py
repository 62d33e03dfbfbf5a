# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a notification needs: the owner, what is wrong, and how bad it is now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.ias.observability.plugins.module_utils._rules.model import Rule

LABELS = ("severity", "owner")
ANNOTATIONS = ("summary", "description", "dashboard_url", "runbook_url")
SIGNAL = "none"
"""The severity of what only says that alerting works."""


def check(alerts: Iterable[Rule]) -> Iterator[str]:
    """`file:line: what is missing`, for each alert that lacks a label, an annotation or the live value."""
    for rule in alerts:
        labels = rule.group.all_labels(rule)
        missing = [f"label {name}" for name in LABELS if not labels.get(name)]
        missing += [f"annotation {name}" for name in ANNOTATIONS if not rule.annotations.get(name)]
        line = rule.place("annotations", "labels")[0]
        yield from (f"{rule.group.file.path}:{line}: {rule.name} has no {what}" for what in missing)
        if rule.annotations.get("description") and labels.get("severity") != SIGNAL and not _is_live(rule):
            line = rule.place("annotations.description")[0]
            yield f"{rule.group.file.path}:{line}: {rule.name}: the description has no live value: use $value"


def _is_live(rule: Rule) -> bool:
    """With the value; what is absent has none, but labels."""
    variable = "$labels" if "absent(" in rule.expr else "$value"
    return variable in rule.annotations["description"]
