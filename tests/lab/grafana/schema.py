# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Classic dashboards as v1beta1 and v1 see them: migrated to the newest schemaVersion, then checked.

Grafana has about thirty migrations and a generated schema. Here are the few that touch what people still write, and
the types of the fields that every dashboard has: enough for "what is stored differs from what was sent" and for 422.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

OLDEST = 13  # older ones are not migrated by the back end
Spec = dict[str, Any]

STRING, BOOLEAN, INTEGER, OBJECT, LIST = (str,), (bool,), (int,), (dict,), (list,)
FIELDS: Mapping[str, tuple[type, ...]] = {
    "title": STRING,
    "description": STRING,
    "timezone": STRING,
    "weekStart": STRING,
    "refresh": STRING,
    "editable": BOOLEAN,
    "liveNow": BOOLEAN,
    "preload": BOOLEAN,
    "graphTooltip": INTEGER,
    "schemaVersion": INTEGER,
    "fiscalYearStartMonth": INTEGER,
    "time": OBJECT,
    "timepicker": OBJECT,
    "templating": OBJECT,
    "annotations": OBJECT,
    "tags": LIST,
    "links": LIST,
    "panels": LIST,
}
PANEL_FIELDS: Mapping[str, tuple[type, ...]] = {
    "id": INTEGER,
    "type": STRING,
    "title": STRING,
    "description": STRING,
    "transparent": BOOLEAN,
    "gridPos": OBJECT,
    "options": OBJECT,
    "fieldConfig": OBJECT,
    "targets": LIST,
    "transformations": LIST,
    "links": LIST,
}
NAMES = {str: "string", bool: "boolean", int: "integer", dict: "object", list: "array"}


class MigrationError(Exception):
    """The dashboard cannot be brought to the newest schemaVersion."""


def migrate(spec: Spec, target: int, uid_of: Callable[[str], tuple[str, str]]) -> Spec:
    """A copy at schemaVersion `target`. `uid_of`: uid and type of the data source with a name."""
    new = copy.deepcopy(spec)
    version = new.get("schemaVersion", 0)
    if not isinstance(version, int) or isinstance(version, bool):
        version = 0
    if version < OLDEST:
        raise MigrationError(f"input schema version is below minimum version. input: {version} minimum: {OLDEST}")
    _number_panels(new)
    for step, migration in sorted(MIGRATIONS.items()):
        if version < step <= target:
            migration(new, uid_of)
    new["schemaVersion"] = max(version, target)
    return new


def check(spec: Spec) -> list[dict[str, str]]:
    """Causes for 422: fields of the wrong type."""
    causes = list(_wrong("spec", spec, FIELDS))
    if not isinstance(spec.get("title", ""), str) or "title" not in spec:
        causes.append(_cause("spec.title", "Required value"))
    for index, panel in enumerate(_dicts(spec.get("panels"))):
        causes += _wrong(f"spec.panels[{index}]", panel, PANEL_FIELDS)
    causes += [
        _cause(f"spec.tags[{index}]", "Invalid value: must be string")
        for index, tag in enumerate(_items(spec.get("tags")))
        if not isinstance(tag, str)
    ]
    return causes


def _wrong(path: str, value: Mapping[str, Any], fields: Mapping[str, tuple[type, ...]]) -> Iterator[dict[str, str]]:
    for name, types in fields.items():
        found = value.get(name)
        if found is None:
            continue
        is_bool = isinstance(found, bool)
        if not isinstance(found, types) or (is_bool and bool not in types):
            yield _cause(f"{path}.{name}", f"Invalid value: must be {NAMES[types[0]]}")


def _cause(path: str, message: str) -> dict[str, str]:
    return {"reason": "FieldValueInvalid", "message": message, "field": path}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: object) -> list[Spec]:
    return [item for item in _items(value) if isinstance(item, dict)]


def panels(spec: Spec) -> Iterator[Spec]:
    """All panels, those in collapsed rows too."""
    for panel in _dicts(spec.get("panels")):
        yield panel
        yield from _dicts(panel.get("panels"))


def _number_panels(spec: Spec) -> None:
    """Ids become unique, as the front end did it."""
    used = [panel["id"] for panel in panels(spec) if isinstance(panel.get("id"), int)]
    following = max(used, default=0) + 1
    seen: set[int] = set()
    for panel in panels(spec):
        if "id" not in panel or panel["id"] in seen:
            panel["id"] = following
            following += 1
        if isinstance(panel["id"], int):
            seen.add(panel["id"])


Lookup = Callable[[str], tuple[str, str]]


def _data_source_refs(spec: Spec, uid_of: Lookup) -> None:
    """33 and 36: a data source's name becomes a reference."""
    holders = [*panels(spec)]
    holders += [target for panel in panels(spec) for target in _dicts(panel.get("targets"))]
    for section in ("annotations", "templating"):
        holders += _dicts((spec.get(section) or {}).get("list") if isinstance(spec.get(section), dict) else None)
    for holder in holders:
        name = holder.get("datasource")
        if isinstance(name, str):
            uid, kind = uid_of(name)
            holder["datasource"] = {"uid": uid, "type": kind} if kind else {"uid": uid}


def _legends(spec: Spec, _: Lookup) -> None:
    """37: the display mode hidden becomes showLegend."""
    for panel in panels(spec):
        legend = panel["options"].get("legend") if isinstance(panel.get("options"), dict) else None
        if isinstance(legend, dict):
            hidden = legend.get("displayMode") == "hidden" or legend.get("showLegend") is False
            legend["showLegend"] = not hidden
            if hidden:
                legend["displayMode"] = "list"


def _refresh(spec: Spec, _: Lookup) -> None:
    """40: refresh is a string."""
    if not isinstance(spec.get("refresh", ""), str):
        spec["refresh"] = ""


def _time_options(spec: Spec, _: Lookup) -> None:
    """41: time_options had no use."""
    if isinstance(spec.get("timepicker"), dict):
        spec["timepicker"].pop("time_options", None)


def _hidden_tooltips(spec: Spec, _: Lookup) -> None:
    """42: a series hidden in the graph is hidden in its tooltip."""
    for panel in panels(spec):
        config = panel.get("fieldConfig")
        for override in _dicts(config.get("overrides") if isinstance(config, dict) else None):
            for entry in _dicts(override.get("properties")):
                value = entry.get("value")
                if entry.get("id") == "custom.hideFrom" and isinstance(value, dict) and value.get("viz") is True:
                    value["tooltip"] = True


MIGRATIONS: Mapping[int, Callable[[Spec, Lookup], None]] = {
    36: _data_source_refs,
    37: _legends,
    40: _refresh,
    41: _time_options,
    42: _hidden_tooltips,
}
