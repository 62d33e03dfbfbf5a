# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lints of templates in labels and annotations: what they refer to against what the expression keeps."""

from __future__ import annotations

from ..._promql.nodes import Binary, Call, Expr, Number, strip_parens
from ..context import Context
from ..label_flow import Flow

_ALERT_FIELDS = frozenset({"Labels", "ExternalLabels", "ExternalURL", "Value"})
_OTHER_TOOLS = ("{%", "%}", ".Values", "${{", "\\{{", '{{"{{', '{{ "{{', "{{'{{", "{{ '{{", "{{`{{", "{{ `{{")
_HAS_LABEL_NAME = frozenset({"alertname", "__name__"})


def check(context: Context) -> None:
    rule = context.rule
    for key, text in _texts(context):
        if any(mark in text for mark in _OTHER_TOOLS):
            context.report.rule(
                rule,
                "rules/template-escaping",
                "warning",
                f"{_shown(key)} has template escapes of another tool in it",
                hint="Helm or Jinja escapes belong into the source that is rendered, not into the rule",
                place=rule.place(key),
            )
    for key, template in rule.templates.items():
        for name in dict.fromkeys(template.labels):
            _label(context, key, name)
        for name in dict.fromkeys(template.fields):
            if name not in _ALERT_FIELDS:
                context.report.rule(
                    rule,
                    "rules/template-field",
                    "error",
                    f"{_shown(key)} uses .{name}, which an alert does not have",
                    hint=f"known are {', '.join(f'.{known}' for known in sorted(_ALERT_FIELDS))}",
                    place=rule.place(key),
                )
        if key.startswith("labels.") and template.value_uses:
            context.report.rule(
                rule,
                "rules/template-value-in-label",
                "warning",
                f"{_shown(key)} holds the value: each evaluation makes a new alert, which never stays for `for`",
                hint="put the value into an annotation",
                place=rule.place(key),
            )
        if "humanizePercentage" in template.value_uses and _is_percent(context.tree):
            context.report.rule(
                rule,
                "rules/template-unit",
                "warning",
                f"{_shown(key)} shows a percentage of a percentage: the expression multiplies by 100 already",
                hint="leave out the `* 100`, or humanizePercentage",
                place=rule.place(key),
            )


def _texts(context: Context) -> list[tuple[str, str]]:
    rule = context.rule
    return [(f"labels.{name}", text) for name, text in rule.labels.items() if "{" in text] + [
        (f"annotations.{name}", text) for name, text in rule.annotations.items() if "{" in text
    ]


def _shown(key: str) -> str:
    kind, _dot, name = key.partition(".")
    return f"{kind[:-1]} {name!r}"


def _label(context: Context, key: str, name: str) -> None:
    rule = context.rule
    flow: Flow = context.flows.of(context.tree)
    missing = [branch for branch in flow if not branch.can(name)]
    if not missing or name in _HAS_LABEL_NAME:
        return
    if len(missing) < len(flow):
        context.report.rule(
            rule,
            "rules/or-vector-labels",
            "info",
            f"{_shown(key)} uses $labels.{name}, which one side of `or` does not have",
            hint="give both sides the same labels, or word the text so that it reads without",
            place=rule.place(key),
        )
        return
    set_by = " (the rule's own labels are not in $labels)" if name in rule.group.all_labels(rule) else ""
    possible = sorted({label for branch in flow for label in branch.possible or ()})
    kept = f"it keeps {', '.join(possible)}" if possible else "it keeps none"
    if any(branch.possible is None for branch in flow):
        kept = "it removes this one"
    context.report.rule(
        rule,
        "rules/template-label",
        "error",
        f"{_shown(key)} uses $labels.{name}, which the expression does not keep{set_by}: {kept}",
        hint=f"add {name} to the aggregation or the matching, or leave it out of the text",
        place=rule.place(key),
    )


def _is_percent(tree: Expr) -> bool:
    """The value that is compared is multiplied by 100."""
    node = strip_parens(tree)
    while isinstance(node, Binary) and node.operator in {"and", "unless", "or", ">", ">=", "<", "<="}:
        node = strip_parens(node.left)
    if isinstance(node, Call) and node.name in {"round", "ceil", "floor"}:
        node = strip_parens(node.arguments[0])
    while isinstance(node, Binary) and node.operator in {"*", "/"}:
        if node.operator == "*" and 100 in (_value(node.left), _value(node.right)):
            return True
        node = strip_parens(node.left)
    return False


def _value(node: Expr) -> float | None:
    node = strip_parens(node)
    return node.value if isinstance(node, Number) else None
