# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layer (a), `load/*`, of a rule's expression and its templates."""

from __future__ import annotations

from .._promql import PromQLError, parse
from . import admission, templates
from .model import Rule
from .report import RuleReport


def check(rule: Rule, report: RuleReport) -> None:
    """Parse the expression; what Prometheus and the operator would refuse of it."""
    if not rule.expr:
        return
    file = rule.group.file
    try:
        rule.tree = parse(rule.expr, file.profile)
    except PromQLError as error:
        identity = {"feature": "load/feature", "limit": "load/limit"}.get(error.kind, "load/promql")
        report.rule(rule, identity, "error", f"expr: {error.message}", place=rule.place_in_expr(error.position))
        return
    if file.manifest and file.profile.features:
        admission.check_features(rule, report)
    if rule.tree.type not in {"vector", "scalar"}:
        report.rule(
            rule,
            "load/expr-type",
            "error",
            f"expr is a {'range vector' if rule.tree.type == 'matrix' else 'string'}: promtool accepts the file,"
            " but every evaluation fails",
            hint="make it an instant vector: a function such as rate() around the range, a comparison behind it",
        )


def check_templates(rule: Rule, report: RuleReport) -> None:
    """Parse an alert's templates; what Prometheus would refuse of them."""
    for kind, texts in (("labels", rule.labels), ("annotations", rule.annotations)):
        for name, text in texts.items():
            if "{{" in text:
                key = f"{kind}.{name}"
                try:
                    rule.templates[key] = templates.parse(text)
                except templates.TemplateError as error:
                    report.rule(
                        rule,
                        "load/template",
                        "error",
                        f"{kind[:-1]} {name!r} is no template: {error}",
                        place=rule.place(key),
                    )
