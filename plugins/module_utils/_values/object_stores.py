# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the merged values of a component say that it keeps its objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Values = Mapping[str, Any]
Path = tuple[str, ...]
VARIABLE = re.compile(r"\$\{(\w+)\}")


class Place(NamedTuple):
    """Where a chart's values have one S3 store, as paths into them. It is used when `kind` is s3."""

    kind: Path
    connection: Path
    buckets: tuple[Path, ...]
    """Each leads to a name, or to a mapping whose values are names."""
    environment: Path
    """Secrets that become environment variables."""
    access_key: str
    secret_key: str


PLACES = {
    "loki": Place(
        ("loki", "storage", "type"),
        ("loki", "storage", "object_store", "s3"),
        (("loki", "storage", "bucketNames"),),
        ("defaults", "extraEnvFrom"),
        "access_key_id",
        "secret_access_key",
    ),
    "tempo": Place(
        ("tempo", "storage", "trace", "backend"),
        ("tempo", "storage", "trace", "s3"),
        (("tempo", "storage", "trace", "s3", "bucket"),),
        ("tempo", "extraEnvFrom"),
        "access_key",
        "secret_key",
    ),
    "mimir": Place(
        ("mimir", "structuredConfig", "common", "storage", "backend"),
        ("mimir", "structuredConfig", "common", "storage", "s3"),
        (("mimir", "structuredConfig", "blocks_storage", "s3", "bucket_name"),),
        ("ingester", "extraEnvFrom"),
        "access_key_id",
        "secret_access_key",
    ),
}


def object_stores(values: Values, component: str) -> list[dict[str, Any]]:
    """What can be tried of a component: its S3 store, where its keys are environment variables out of Secrets."""
    return list(_of_place(values, component, PLACES[component])) if component in PLACES else []


def _of_place(values: Values, component: str, place: Place) -> Iterator[dict[str, Any]]:
    connection = _at(values, place.connection)
    if _at(values, place.kind) != "s3" or not isinstance(connection, Mapping):
        return
    variables = [VARIABLE.fullmatch(str(connection.get(key, ""))) for key in (place.access_key, place.secret_key)]
    buckets = [name for path in place.buckets for name in _names(_at(values, path))]
    endpoint = connection.get("endpoint")
    if not (all(variables) and buckets and endpoint):
        return
    yield {
        "component": component,
        "endpoint": str(endpoint),
        "region": str(connection.get("region") or ""),
        "insecure": bool(connection.get("insecure", False)),
        "buckets": buckets,
        "secrets": [name for one in _at(values, place.environment) or () if (name := _at(one, ("secretRef", "name")))],
        "access_key": variables[0][1] if variables[0] else "",
        "secret_key": variables[1][1] if variables[1] else "",
    }


def _names(found: Any) -> list[str]:
    return [str(name) for name in found.values()] if isinstance(found, Mapping) else [str(found)] if found else []


def _at(found: Any, path: Path) -> Any:
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
