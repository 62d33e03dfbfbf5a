# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a chart knows: its defaults and those of its sub-charts as one tree, and what the templates read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .._yaml.tree import Mapping, Node, Scalar
from .chart import Chart
from .schema import Validator
from .uses import Path, Uses, uses

GLOBAL = "global"
_FREE = frozenset({GLOBAL, "tags"})
_DEPRECATED = re.compile(r"(?i)\bdeprecated\b|\bno longer used\b")
_MAX_NODES = 200_000


@dataclass(slots=True)
class Known:
    defaults: dict[Path, Node] = field(default_factory=dict)
    whole: set[Path] = field(default_factory=set)
    tested: set[Path] = field(default_factory=set)
    passed_on: bool = False
    open: set[Path] = field(default_factory=set)
    """Sub-charts that are not there to look at."""
    deprecated: dict[Path, str] = field(default_factory=dict)
    """What the chart says about a key, on the lines above it."""
    schemas: dict[Path, Validator] = field(default_factory=dict)
    """Schemas by where their values stand."""
    children: dict[Path, dict[str, None]] = field(default_factory=dict)

    @classmethod
    def of(cls, chart: Chart) -> Known:
        known = cls()
        known._add(chart, ())
        for path in [*known.defaults, *known.whole, *known.tested]:
            for end in range(len(path)):
                known.children.setdefault(path[:end], {})[path[end]] = None
        return known

    def _add(self, chart: Chart, prefix: Path) -> None:
        """A chart and those below it; what the parent says of a value wins."""
        texts = [*chart.templates.values(), chart.defaults_text]
        self._use(uses(texts).below(prefix))
        for path in chart.conditions:
            self.tested.add(prefix + path)
        lines = chart.defaults_text.splitlines()
        for path, key, node in entries(chart.defaults):
            self.defaults.setdefault(prefix + path, node)
            remark = _remark(lines, key.line)
            if _DEPRECATED.search(remark):
                self.deprecated[prefix + path] = remark
        if chart.schema is not None:
            self.schemas[prefix] = Validator(chart.schema)
        for name, sub in chart.below.items():
            if sub is None:
                self.open.add((*prefix, name))
            elif sub.is_library:  # its templates read the values of the chart that uses it
                self._use(uses(sub.templates.values()).below(prefix))
            else:
                self._add(sub, (*prefix, name))

    def _use(self, found: Uses) -> None:
        self.whole |= found.whole
        self.tested |= found.tested
        self.passed_on = self.passed_on or found.passed_on

    # -- questions

    def is_free(self, path: Path) -> bool:
        """Anything may stand at or below the path."""
        if path[0] in _FREE or GLOBAL in path[:-1]:
            return True
        return any(path[:end] in self.open or path[:end] in self.whole for end in range(1, len(path) + 1))

    def is_known(self, path: Path) -> bool:
        if path in self.defaults or path in self.children or path in self.tested or self.is_free(path):
            return True
        return self._in_schema(path)

    def is_read(self, path: Path) -> bool:
        """A template looks at the value, or at something above or below it."""
        above = any(path[:end] in self.whole or path[:end] in self.tested for end in range(1, len(path) + 1))
        return above or self.is_free(path) or self._has_use_below(path)

    def _has_use_below(self, path: Path) -> bool:
        pending = [path]
        while pending:
            node = pending.pop()
            if node in self.whole or node in self.tested:
                return True
            pending += [(*node, name) for name in self.children.get(node, ())]
        return False

    def _in_schema(self, path: Path) -> bool:
        for prefix, validator in self.schemas.items():
            if path[: len(prefix)] == prefix and len(path) > len(prefix):
                parent = validator.at(path[len(prefix) : -1])
                properties = parent.get("properties")
                if isinstance(properties, dict) and path[-1] in properties:
                    return True
                if parent.get("additionalProperties") or parent.get("patternProperties"):
                    return True
        return False

    def names(self, path: Path) -> list[str]:
        """The keys that are known right below."""
        found = dict(self.children.get(path, {}))
        for prefix, validator in self.schemas.items():
            if path[: len(prefix)] == prefix:
                properties = validator.at(path[len(prefix) :]).get("properties")
                found |= dict.fromkeys(properties if isinstance(properties, dict) else ())
        return list(found)

    def remark(self, path: Path) -> str:
        """Why a key should not be used any more; "" when nothing says so."""
        for prefix, validator in self.schemas.items():
            if path[: len(prefix)] == prefix:
                schema = validator.at(path[len(prefix) :])
                described = str(schema.get("description") or "")
                if schema.get("deprecated") is True or re.match(r"(?i)\W*deprecated\b", described):
                    return described or "deprecated"
        return self.deprecated.get(path, "")


def entries(root: Mapping) -> Iterator[tuple[Path, Scalar, Node]]:
    """Every key below a mapping with its path, those within lists left out. At most 200,000."""
    pending: list[tuple[Path, Mapping]] = [((), root)]
    count = 0
    while pending:
        prefix, mapping = pending.pop()
        for name, (key, value) in mapping.items().items():
            count += 1
            if count > _MAX_NODES:
                return
            path = (*prefix, name)
            yield path, key, value
            if isinstance(value, Mapping):
                pending.append((path, value))


def _remark(lines: list[str], line: int) -> str:
    """The comment right above a line, and the one at its end."""
    found: list[str] = []
    at = line - 2
    while 0 <= at < len(lines) and lines[at].lstrip().startswith("#"):
        found.insert(0, lines[at].strip().lstrip("#- "))
        at -= 1
    own = lines[line - 1].partition(" #")[2].strip() if 0 < line <= len(lines) else ""
    return " ".join(part for part in [*found, own] if part)
