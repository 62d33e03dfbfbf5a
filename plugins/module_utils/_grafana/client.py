# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grafana's HTTP API, the part that is only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from .. import _http
from .._grafana_model.model import DataSource, Health, Json
from .._http import Api, HttpError, Parsed, Query, text

PAGE = 1000
# These are plugins without a back end: Grafana cannot ask for their health, only pass a request through.
WITHOUT_HEALTH = {"alertmanager": "/api/v2/status"}


def segment(key: str) -> str:
    """A key as one segment of a path, whatever is in it; dots alone would lead to another path."""
    return quote(key, safe="") if key.strip(".") else key.replace(".", "%2E")


def parse(path: str, read: Callable[[Any], Parsed], answer: Any) -> Parsed:
    """Read an answer of Grafana."""
    return _http.parse("Grafana", path, read, answer)


@dataclass(frozen=True)
class Grafana:
    api: Api

    def datasources(self) -> list[DataSource]:
        path = "/api/datasources"
        return parse(path, lambda entries: [read_datasource(entry) for entry in entries], self.api.get(path))

    def health(self, source: DataSource) -> Health:
        """An unhealthy data source is an answer, not an error."""
        path = WITHOUT_HEALTH.get(source.type)
        try:
            if path:
                self.proxy(source.uid, path)
                return Health(True, "answers")
            answer = self.api.get(f"/api/datasources/uid/{segment(source.uid)}/health")
        except HttpError as error:
            if error.status in {0, 401, 403}:
                raise
            return Health(False, _health_message(error))
        return parse(
            f"/api/datasources/uid/{source.uid}/health",
            lambda health: Health(health.get("status") == "OK", str(health.get("message", ""))),
            answer,
        )

    def search(self, kind: str, folder_uids: Sequence[str] = (), *, tag: str = "") -> list[Json]:
        """All dashboards (dash-db) or folders (dash-folder). The index behind it may be a second late."""
        hits: list[Json] = []
        page = 1
        while True:
            query: Query = {"type": kind, "tag": tag, "folderUIDs": folder_uids, "limit": str(PAGE), "page": str(page)}
            found = parse("/api/search", read_hits, self.api.get("/api/search", query))
            hits += found
            if len(found) < PAGE:
                return hits
            page += 1

    def dashboard(self, uid: str) -> Json:
        """The answer to a read of one dashboard: its JSON and its metadata."""
        path = f"/api/dashboards/uid/{segment(uid)}"
        return parse(path, lambda answer: {**answer, "dashboard": dict(answer["dashboard"])}, self.api.get(path))

    def query(self, queries: Sequence[Mapping[str, Any]], *, start: str, end: str) -> dict[str, Json]:
        """Each query's result by its refId. One that failed has ``error`` in it and does not hide the others."""
        try:
            body = {"from": start, "to": end, "queries": list(queries)}
            answer = self.api.post("/api/ds/query", body, repeatable=True)
        except HttpError as error:
            # As soon as one query fails the status is 400, and the body still has the results.
            if not isinstance(error.data, dict) or "results" not in error.data:
                raise
            answer = error.data
        return parse("/api/ds/query", read_results, answer)

    def source_api(self, uid: str) -> Api:
        """A data source's own API, with Grafana's access to it."""
        return replace(self.api, base=f"{self.api.base}/api/datasources/proxy/uid/{segment(uid)}")

    def proxy(self, uid: str, path: str, query: Query | None = None) -> Any:
        """Ask a data source's own API, with Grafana's access to it."""
        return self.api.get(f"/api/datasources/proxy/uid/{segment(uid)}{path}", query)


def _health_message(error: HttpError) -> str:
    """What Grafana says, or the status where it says nothing: so it is for a back end that is gone."""
    said = error.data.get("message") if isinstance(error.data, dict) else ""
    return str(said or f"Grafana answers {error.status} {error.reason}".rstrip())


def read_results(answer: Any) -> dict[str, Json]:
    """Each query's result, in which the frames' columns stand beside their fields."""
    results = {ref: {**result} for ref, result in answer["results"].items()}
    for frame in (frame for result in results.values() for frame in result.get("frames") or []):
        for column in (frame.get("data") or {}).get("values") or []:
            iter(column)
        for field in (frame.get("schema") or {}).get("fields") or []:
            field.get("type")
    return results


def read_hits(answer: Any) -> list[Json]:
    """What a search has found; each has a uid and a title."""
    return [{**hit, "uid": text(hit["uid"]), "title": text(hit["title"])} for hit in answer]


def read_datasource(entry: Mapping[str, Any]) -> DataSource:
    uid, name, kind = text(entry["uid"]), text(entry["name"]), text(entry["type"])
    return DataSource(uid, name, kind, bool(entry.get("isDefault")), dict(entry.get("jsonData") or {}))
