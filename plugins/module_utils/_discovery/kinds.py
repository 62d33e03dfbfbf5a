# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a text is, by its content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from .._yaml.tree import Mapping, Node, Scalar, Sequence, YamlError, documents

Kind = Literal["rules", "loki-rules", "dashboard", "wrapped-dashboard", "spec", "contract", "other"]
"""`loki-rules` are in LogQL, a `wrapped-dashboard` answers Grafana's API, a `spec` is compiled to a dashboard."""

_WORDS = re.compile(r"\b(?:groups|PrometheusRule|PrometheusRuleList|panels|rows|metrics)\b")
"""Nothing without one of them can be validated: most files need not be parsed."""
_RULES = re.compile(r"^(?:groups:|kind: *PrometheusRule)", re.MULTILINE)
_PANELS = re.compile(r'"(?:panels|schemaVersion)"\s*:')
_LOGQL = re.compile(r"\}\s*(?:\||!~|!=\s*[\"`])")
"""A pipeline or a line filter, which PromQL does not have."""


def kind_of_yaml(text: str) -> Kind:
    """What cannot be parsed is taken for what it looks like: it shall be reported, not passed over."""
    if not _WORDS.search(text):
        return "other"
    try:
        roots = [root for root in documents(text) if isinstance(root, Mapping)]
    except YamlError:
        return "rules" if _RULES.search(text) else "other"
    rules = [rule for root in roots for rule in _rules(root)]
    if rules:
        return "loki-rules" if any(map(_is_logql, rules)) else "rules"
    for root in roots:
        if _has(root, "title", "uid") and isinstance(root.get("rows"), Sequence):
            return "spec"
        if any(isinstance(service, Mapping) and _has(service, "metrics") for service in _values(root.get("services"))):
            return "contract"
    return "other"


def kind_of_json(text: str) -> Kind:
    """As of YAML; rules may be written in JSON, too."""
    if not _WORDS.search(text):
        return "other"
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return "dashboard" if _PANELS.search(text) else "other"
    if _is_dashboard(root):
        return "dashboard"
    if isinstance(root, dict) and _is_dashboard(root.get("dashboard")):
        return "wrapped-dashboard"
    return kind_of_yaml(text)


def _is_dashboard(root: Any) -> bool:
    if not isinstance(root, dict):
        return False
    if isinstance(root.get("panels"), list):
        return not root.keys().isdisjoint(("title", "uid", "schemaVersion"))
    return isinstance(root.get("rows"), list) and "schemaVersion" in root


def _rules(root: Mapping) -> Iterator[Node]:
    """The groups of a rule file or of a PrometheusRule, also of those in a list; Grafana's own have a version."""
    kind, spec = root.get("kind"), root.get("spec")
    if isinstance(kind, Scalar):
        if kind.value == "PrometheusRule":
            yield spec or root
        elif kind.value in {"List", "PrometheusRuleList"}:
            items = root.get("items")
            for item in items.items if isinstance(items, Sequence) else ():
                if isinstance(item, Mapping):
                    yield from _rules(item)
    elif root.get("apiVersion") is None:
        groups = root.get("groups")
        for group in groups.items if isinstance(groups, Sequence) else ():
            if isinstance(group, Mapping) and _has(group, "rules"):
                yield group


def _is_logql(rules: Node) -> bool:
    pending = [rules]
    while pending:
        node = pending.pop()
        if isinstance(node, Sequence):
            pending += node.items
        elif isinstance(node, Mapping):
            expr = node.get("expr")
            if isinstance(expr, Scalar) and _LOGQL.search(expr.value):
                return True
            pending += [node for node in (node.get("groups"), node.get("rules")) if node is not None]
    return False


def _has(mapping: Mapping, *keys: str) -> bool:
    return all(mapping.get(key) is not None for key in keys)


def _values(node: Node | None) -> list[Node]:
    return [value for _key, value in node.items().values()] if isinstance(node, Mapping) else []
