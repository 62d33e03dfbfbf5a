# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Prometheus has not loaded a rule."""

from __future__ import annotations

from collections.abc import Iterator

from .._findings import did_you_mean
from .chain import Chain, Step, broken, is_broken
from .objects import Object, Objects, full_name, spec_of
from .operator import loading_chain
from .targets import picked_chain

HINT = "Apply the rule files again: site.yml, or module prometheus_rules"


def rule_chain(group: str, rule: str, wanted: str, objects: Objects, home: str) -> Chain:
    """From a PrometheusRule's name to the configuration; `wanted` is what it should be called, "" if any will do."""
    if not objects.knows("prometheusrules"):
        return []
    holders = [item for item in objects.of("prometheusrules") if _holds(item, group, rule)]
    own = objects.find("prometheusrules", home, wanted) if wanted else None
    holder = next((item for item in holders if item is own), holders[0] if holders else None)
    if holder is None and own is not None:
        return [_incomplete(own, group)]
    if holder is None and wanted:
        return [broken(f"PrometheusRule {home}/{wanted} does not exist", HINT)]
    if holder is None:
        known = {name for item in objects.of("prometheusrules") for name in _names(item)}
        return [broken(f"no PrometheusRule has a rule {rule}", did_you_mean(rule, known) or HINT)]
    name = f"PrometheusRule {full_name(holder)}"
    chain: list[Step] = [Step(f"{name} holds it"), *picked_chain(name, holder, "rule", objects, home)]
    if is_broken(chain):
        return chain
    return [*chain, *loading_chain(name, holder, objects, home, loaded=False)]


def _incomplete(item: Object, group: str) -> Step:
    groups = {str(entry.get("name")) for entry in spec_of(item).get("groups") or []}
    lacks = f"lacks rules of group {group}" if group in groups else f"has no group {group}"
    return broken(f"PrometheusRule {full_name(item)} {lacks}, which its file has", HINT)


def _names(item: Object) -> Iterator[str]:
    for group in spec_of(item).get("groups") or []:
        yield from (str(rule.get("alert") or rule.get("record")) for rule in group.get("rules") or [])


def _holds(item: Object, group: str, rule: str) -> bool:
    return any(
        rule in {entry.get("alert"), entry.get("record")}
        for one in spec_of(item).get("groups") or []
        if group in {"", one.get("name")}
        for entry in one.get("rules") or []
    )
