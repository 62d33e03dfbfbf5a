# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API server and the Prometheus operator refuse in a PrometheusRule, although Prometheus would take it.

One refused rule makes the operator skip the whole object: all its other rules disappear with it.
"""

from __future__ import annotations

import re

from .._promql import Profile, PromQLError, parse
from .model import Rule, RuleFile
from .report import RuleReport

MAX_SPEC_BYTES = 524_288
_LEGACY_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEGACY_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_CRD_DURATION = re.compile(r"0|(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_HINT = "the operator then skips the whole PrometheusRule, with all its rules"


def check(file: RuleFile, report: RuleReport) -> None:
    size = sum(
        len(rule.expr)
        + len(rule.name)
        + sum(len(k) + len(v) for k, v in (*rule.labels.items(), *rule.annotations.items()))
        for rule in file.rules
    )
    if size > MAX_SPEC_BYTES:
        report.add(
            "load/manifest-size",
            "error",
            f"the PrometheusRule has about {size >> 10} KiB; the operator refuses more than {MAX_SPEC_BYTES >> 10} KiB",
            hint="split it into several objects",
            object_=file.manifest,
        )
    for rule in file.rules:
        _rule(rule, report)


def _rule(rule: Rule, report: RuleReport) -> None:
    for key, scalar in rule.scalars.items():
        kind, _dot, name = key.partition(".")
        if name and not scalar.is_text:
            report.rule(
                rule,
                "load/label-not-text",
                "error",
                f"{kind[:-1]} {name!r} is not text: the API server refuses the object",
                hint=f'write "{scalar.value}" in quotes',
                place=(scalar.line, scalar.column),
            )
        if key in {"for", "keep_firing_for"} and not _CRD_DURATION.fullmatch(scalar.value):
            report.rule(
                rule,
                "load/crd-duration",
                "error",
                f"{key} {scalar.value!r} does not match the CRD's pattern",
                hint="write units from years to milliseconds, such as 1h30m",
                place=(scalar.line, scalar.column),
            )
    empty = rule.scalars.get("keep_firing_for")
    if empty is not None and not empty.value:
        report.rule(
            rule, "load/crd-duration", "error", "keep_firing_for must not be empty", place=(empty.line, empty.column)
        )
    for message in _utf8_names(rule):
        report.rule(rule, "load/legacy-names", "error", message, hint=_HINT)


def check_features(rule: Rule, report: RuleReport) -> None:
    """The operator's own validation knows no feature flags."""
    try:
        parse(rule.expr, Profile(rule.group.file.profile.version))
    except PromQLError as error:
        report.rule(
            rule,
            "load/operator-feature",
            "error",
            f"the server accepts the expression with its feature flags, the operator refuses it: {error.message}",
            hint=_HINT,
            place=rule.place_in_expr(error.position),
        )


def _utf8_names(rule: Rule) -> list[str]:
    """Names that only UTF-8 validation accepts; the operator validates in the legacy way."""
    found = [
        f"label name {name!r} is not a legacy name"
        for name in (*rule.labels, *rule.annotations)
        if not _LEGACY_LABEL.fullmatch(name)
    ]
    if rule.kind == "record" and not _LEGACY_METRIC.fullmatch(rule.name):
        found.append(f"record name {rule.name!r} is not a legacy name")
    return found
