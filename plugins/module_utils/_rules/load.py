# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layer (a), `load/*`: what Prometheus (promtool check rules) and the operator's admission say about the text.

Every document is read: a plain rule file as Prometheus reads it, a PrometheusRule as the API server does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .._files import MAX_BYTES
from .._findings import did_you_mean
from .._promql import Profile
from .._promql.literals import parse_duration
from .._yaml.reader import Reader, is_null
from .._yaml.tree import Mapping, Node, Scalar, Sequence, YamlError, documents
from . import admission, expressions
from .model import Group, Rule, RuleFile
from .report import RuleReport

MAX_RULES = 100_000

# Known keys, in the order in which they are told.
_ROOT = dict.fromkeys(("groups",))
_GROUP = dict.fromkeys(("name", "interval", "query_offset", "limit", "rules", "labels"))
_RULE = dict.fromkeys(("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"))
_MANIFEST_GROUP = dict.fromkeys((*_GROUP, "partial_response_strategy"))
_METRIC_NAME = "__name__"


def parse_rules(path: str, text: str, profile: Profile, report: RuleReport) -> list[RuleFile]:
    """The rule files in the text (one, or one for each PrometheusRule), whatever could be read of them."""
    report.file = path
    if len(text) > MAX_BYTES:
        report.add(
            "load/too-large",
            "error",
            f"the file has more than {MAX_BYTES >> 20} MiB",
            hint="split it; a PrometheusRule may have 512 KiB",
        )
        return []
    files: list[RuleFile] = []
    try:
        for index, document in enumerate(documents(text)):
            files.extend(_document(RuleFile(path, text, profile), document, index, profile, report))
    except YamlError as error:
        report.add(
            "load/yaml", "error", f"not YAML: {error.message}", place=(error.line, error.column), hint=_yaml_hint(text)
        )
    return files


def _yaml_hint(text: str) -> str:
    if "\x00" in text[:1000]:
        return "this looks like a binary file"
    if "{{" in text or "{%" in text:
        return "quote templates, or render the file first when it is a Helm or Jinja template"
    return "correct the file"


def _document(
    file: RuleFile, node: Node | None, index: int, profile: Profile, report: RuleReport
) -> Iterator[RuleFile]:
    kind = node.get("kind") if isinstance(node, Mapping) else None
    items = node.get("items") if isinstance(node, Mapping) else None
    if isinstance(kind, Scalar) and kind.value in {"List", "PrometheusRuleList"} and isinstance(items, Sequence):
        for item in items.items:
            yield from _document(RuleFile(file.path, file.text, profile), item, index, profile, report)
    elif isinstance(node, Mapping) and isinstance(kind, Scalar):
        yield from _manifest(file, node, kind, profile, report)
    elif index == 0:
        yield _Reader(file, report).plain(node)
    elif node is not None and not is_null(node):
        report.add(
            "load/second-document",
            "warning",
            "Prometheus reads the first YAML document only; this one is ignored",
            hint="move it to a file of its own",
            place=(node.line, node.column),
        )


def _manifest(file: RuleFile, node: Mapping, kind: Scalar, profile: Profile, report: RuleReport) -> Iterator[RuleFile]:
    if kind.value != "PrometheusRule":
        report.add(
            "load/other-manifest",
            "info",
            f"a {kind.value} has no rules to check",
            place=(kind.line, kind.column),
        )
        return
    metadata = node.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    file.manifest = name.value if isinstance(name, Scalar) else ""
    if not file.manifest:
        report.add("load/manifest-name", "error", "the PrometheusRule has no metadata.name", place=_place(node))
    spec = node.get("spec")
    reader = _Reader(file, report)
    if isinstance(spec, Mapping):
        reader.read(spec)
        admission.check(file, report)
    elif spec is not None:
        reader.wrong_type(spec, "spec", "mapping")
    yield file


class _Reader(Reader):
    """Reads one file's groups and rules and reports what Prometheus would refuse."""

    report: RuleReport

    def __init__(self, file: RuleFile, report: RuleReport) -> None:
        super().__init__(report, "load/type", "correct the file")
        self.file = file
        self.count = 0
        self.object = file.manifest

    def plain(self, node: Node | None) -> RuleFile:
        if isinstance(node, Mapping):
            self.read(node)
        elif node is not None and not is_null(node):
            self.wrong_type(node, "the file", "mapping with `groups`")
        return self.file

    def read(self, root: Mapping) -> None:
        self._fields(root, _ROOT, "rule file")
        groups = root.get("groups")
        seen: set[str] = set()
        for node in self.items(groups, "groups"):
            if isinstance(node, Mapping):
                group = self._group(node)
                if group.name in seen and group.name:
                    self._error("load/duplicate-group", f"group {group.name!r} is written twice in this file", node)
                seen.add(group.name)
                self.file.groups.append(group)
            else:
                self.wrong_type(node, "a group", "mapping")

    # -- findings

    def _error(self, identity: str, message: str, node: Node, hint: str = "") -> None:
        self.report.add(identity, "error", message, hint=hint, place=_place(node), object_=self.object)

    def _fields(self, node: Mapping, known: Collection[str], what: str) -> None:
        """Unknown and repeated keys of a mapping."""
        for key in node.duplicates:
            self._error(
                "load/duplicate-key", f"key {key.value!r} is written twice in this {what}", key, "keep one of them"
            )
        for name in [name for name in node.items() if name not in known]:
            where = node.items()[name][0]
            advice = did_you_mean(name, known) or f"known are {', '.join(known)}"
            refused = "the API server drops it silently" if self.file.manifest else "Prometheus refuses the file"
            self.report.add(
                "load/unknown-field",
                "warning" if self.file.manifest else "error",
                f"unknown field {name!r} in a {what}: {refused}",
                hint=advice,
                place=_place(where),
                object_=self.object,
            )

    # -- values

    def _duration(self, node: Mapping, key: str) -> float:
        value = node.get(key)
        if value is None or is_null(value):
            return 0.0
        if not isinstance(value, Scalar):
            self.wrong_type(value, key, "duration")
            return 0.0
        try:
            return parse_duration(value.value)
        except ValueError as error:
            self._error("load/duration", f"{key}: {error}", value, "write it like 30s, 5m or 1h30m")
            return 0.0

    def _labels(self, node: Mapping, key: str, rule: Rule | None, what: str) -> dict[str, str]:
        value = node.get(key)
        if value is None or is_null(value):
            return {}
        if not isinstance(value, Mapping):
            self.wrong_type(value, key, "mapping")
            return {}
        for twice in value.duplicates:
            self._error("load/duplicate-key", f"{what} {twice.value!r} is written twice", twice, "keep one of them")
        result: dict[str, str] = {}
        for name, (where, scalar) in value.items().items():
            if not name or (name == _METRIC_NAME and key == "labels"):
                self._error("load/label-name", f"invalid {what} name {name!r}", where)
            if isinstance(scalar, Scalar):
                result[name] = "" if scalar.is_null else scalar.value
                if rule is not None:
                    rule.scalars[f"{key}.{name}"] = scalar
            else:
                self.wrong_type(scalar, f"{what} {name!r}", "text")
        return result

    # -- groups and rules

    def _group(self, node: Mapping) -> Group:
        name = self.text(node, "name")
        group = Group(name, self.file, node.line, node.column)
        self.object = name
        self._fields(node, _MANIFEST_GROUP if self.file.manifest else _GROUP, "group")
        if not name:
            self._error("load/group-name", "the group has no name", node)
        group.interval = self._duration(node, "interval")
        self._duration(node, "query_offset")
        limit = node.get("limit")
        if limit is not None and not (isinstance(limit, Scalar) and (limit.is_number or limit.is_null)):
            self.wrong_type(limit, "limit", "number")
        group.labels = self._labels(node, "labels", None, "label")
        for item in self.items(node.get("rules"), "rules"):
            self.count += 1
            if self.count > MAX_RULES:
                self._error("load/too-many-rules", f"the file has more than {MAX_RULES} rules", node, "split it")
                break
            self.object = name
            if isinstance(item, Mapping):
                group.rules.append(self._rule(item, group))
            else:
                self.wrong_type(item, "a rule", "mapping")
        return group

    def _rule(self, node: Mapping, group: Group) -> Rule:
        alert, record = self.text(node, "alert"), self.text(node, "record")
        rule = Rule(
            "record" if record and not alert else "alert",
            alert or record,
            self.text(node, "expr"),
            group,
            node.line,
            node.column,
        )
        self.object = rule.object
        rule.scalars = {key: value for key, (_where, value) in node.items().items() if isinstance(value, Scalar)}
        self._fields(node, _RULE, "rule")
        if bool(alert) == bool(record):
            which = "both `alert` and `record`" if alert else "neither `alert` nor `record`"
            self._error("load/alert-or-record", f"the rule has {which}; exactly one is needed", node)
        rule.for_seconds = self._duration(node, "for")
        rule.keep_firing_for = self._duration(node, "keep_firing_for")
        rule.labels = self._labels(node, "labels", rule, "label")
        rule.annotations = self._labels(node, "annotations", rule, "annotation")
        if not rule.expr:
            self._error("load/expr", "the rule has no `expr`", node)
        if rule.kind == "record":
            self._record(rule, node)
        expressions.check(rule, self.report)
        if rule.is_alert:
            expressions.check_templates(rule, self.report)
        return rule

    def _record(self, rule: Rule, node: Mapping) -> None:
        for name, value in (
            ("annotations", bool(rule.annotations)),
            ("for", rule.for_seconds != 0),
            ("keep_firing_for", rule.keep_firing_for != 0),
        ):
            if value:
                self._error("load/record-field", f"a recording rule cannot have `{name}`", node)
        if "{" in rule.name or "}" in rule.name:
            self._error(
                "load/record-name", f"braces in the record name {rule.name!r}", node, "a selector belongs into expr"
            )


def _place(node: Node) -> tuple[int, int]:
    return node.line, node.column
