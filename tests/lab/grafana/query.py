# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /api/ds/query: ask the back ends, answer with frames for each refId."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.lab.grafana import datasources, frames, interval
from tests.lab.grafana.backends import Backend, BackendError
from tests.lab.grafana.context import Grafana, caller, read_json
from tests.lab.grafana.errors import ApiError
from tests.lab.grafana.interval import IntervalError, Range
from tests.lab.grafana.store import Resource

TRACEQL, TRACE_ID = "traceql", "traceId"
METRICS = ("rate(", "count_over_time(", "quantile_over_time(", "histogram_over_time(", "min_over_time(",
           "max_over_time(", "avg_over_time(", "sum_over_time(")  # fmt: skip


class Queries:
    """The endpoint."""

    def __init__(self, grafana: Grafana) -> None:
        self._grafana = grafana

    def routes(self) -> list[Route]:
        return [Route("/api/ds/query", self._query, methods=["POST"])]

    async def _query(self, request: Request) -> Response:
        caller(request).need("datasources:query")
        body = await read_json(request)
        queries = body.get("queries")
        if not isinstance(queries, list) or not queries or not all(isinstance(query, dict) for query in queries):
            raise ApiError(400, "No queries found", message_id="query.noQueries")
        now = self._grafana.clock()
        try:
            span = Range(
                interval.parse_time(body.get("from", "now-6h"), now), interval.parse_time(body.get("to", "now"), now)
            )
        except IntervalError as error:
            raise ApiError(400, str(error), message_id="query.invalidTimeRange") from None
        sources: dict[str, tuple[dict[str, Any], Resource]] = {}
        for query in queries:
            ref = str(query.get("refId") or "A")
            if ref in sources:
                wrong = f"Multiple queries using the same RefId is not allowed: {ref}"
                raise ApiError(400, wrong, message_id="query.duplicateRefId")
            sources[ref] = query, self._source(query)
        answers = await asyncio.gather(*(self._answer(ref, *sources[ref], span) for ref in sorted(sources)))
        results = dict(zip(sorted(sources), answers, strict=True))
        failed = any("error" in result for result in results.values())
        return JSONResponse({"results": results}, 400 if failed else 200)

    def _source(self, query: Mapping[str, Any]) -> Resource:
        reference = query.get("datasource")
        uid = reference.get("uid") if isinstance(reference, dict) else reference
        if not isinstance(uid, str) or not uid:
            wrong = "Query does not contain a valid data source identifier"
            raise ApiError(400, wrong, message_id="query.invalidDatasourceId")
        source = self._grafana.store.get(datasources.KIND, uid)
        if source is None:
            raise ApiError(404, datasources.NOT_FOUND)
        kind = query.get("queryType")
        if source.spec["type"] == "tempo" and kind not in (TRACEQL, TRACE_ID):
            wrong = f"unsupported query type: '{kind or ''}' for query with refID '{query.get('refId') or 'A'}'"
            raise ApiError(500, wrong, message_id="plugin.requestFailureError")
        if source.spec["type"] not in RUN:
            # also what Grafana says of a data source without a back end
            raise ApiError(404, "Plugin not found", message_id="plugin.notRegistered")
        return source

    async def _answer(self, ref: str, query: dict[str, Any], source: Resource, span: Range) -> dict[str, Any]:
        try:
            found = await RUN[source.spec["type"]](Backend(self._grafana.backends, source), ref, query, span)
        except BackendError as error:
            return {"error": str(error), "errorSource": "downstream", "status": error.status}
        except IntervalError as error:
            return {"error": str(error), "errorSource": "plugin", "status": 400}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return {"error": f"unexpected answer: {error!r}", "errorSource": "downstream", "status": 500}
        return {"status": 200, "frames": found}


async def _prometheus(backend: Backend, ref: str, query: Mapping[str, Any], span: Range) -> list[frames.Frame]:
    scrape = interval.duration(str(backend.option("timeInterval", "15s")))
    step = interval.step(query, span, scrape)
    expr = interval.expand(str(query.get("expr") or ""), span, step, scrape)
    executed = f"Expr: {expr}\nStep: {interval.exact(step)}"
    legend = str(query.get("legendFormat") or "")
    found: list[frames.Frame] = []
    if query.get("range") or not query.get("instant"):
        # aligned to the step, so that a refresh asks for the same points
        start, end = span.start // step * step, span.end // step * step
        params = {"query": expr, "start": str(start / 1000), "end": str(end / 1000), "step": str(step / 1000)}
        found += frames.series(await backend.json("/api/v1/query_range", params), ref, executed, legend)
    if query.get("instant"):
        params = {"query": expr, "time": str(span.end / 1000)}
        found += frames.series(await backend.json("/api/v1/query", params), ref, executed, legend)
    return found


async def _loki(backend: Backend, ref: str, query: Mapping[str, Any], span: Range) -> list[frames.Frame]:
    step = interval.step({**query, "interval": query.get("step") or ""}, span, interval.SCRAPE)
    expr = interval.expand(str(query.get("expr") or ""), span, step, interval.SCRAPE)
    limit = str(query.get("maxLines") or backend.option("maxLines", 1000))
    params = {"query": expr, "limit": limit, "direction": str(query.get("direction") or "backward")}
    flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    if query.get("queryType") == "instant" or query.get("instant"):
        params["time"] = f"{span.end}000000"
        answer = await backend.json("/loki/api/v1/query", params, flags)
    else:
        params |= {"start": f"{span.start}000000", "end": f"{span.end}000000", "step": str(step / 1000)}
        answer = await backend.json("/loki/api/v1/query_range", params, flags)
    executed = f"Expr: {expr}"
    if answer["data"]["resultType"] == "streams":
        return frames.streams(answer, ref, executed)
    return frames.series(answer, ref, executed, str(query.get("legendFormat") or ""))


async def _tempo(backend: Backend, ref: str, query: Mapping[str, Any], span: Range) -> list[frames.Frame]:
    text = str(query.get("query") or "").strip()
    if query.get("queryType") == TRACE_ID:
        return frames.trace(await _trace(backend, text), ref, text)
    params = {"q": text, "start": str(span.start // 1000), "end": str(-(-span.end // 1000))}
    if any(f"| {name}" in text or f"|{name}" in text for name in METRICS):
        step = interval.step({**query, "interval": query.get("step") or ""}, span, interval.SCRAPE)
        params["step"] = interval.exact(step)
        return frames.trace_series(await backend.json("/api/metrics/query_range", params), ref, text)
    params |= {"limit": str(query.get("limit") or 20), "spss": str(query.get("spss") or 3)}
    return frames.traces(await backend.json("/api/search", params), ref, text)


async def _trace(backend: Backend, trace_id: str) -> dict[str, Any]:
    """By Tempo's second API, else by the first."""
    accept = {"Accept": "application/json"}
    try:
        return await backend.json(f"/api/v2/traces/{trace_id}", {}, accept)
    except BackendError as error:
        if error.status != 404:
            raise
    try:
        return await backend.json(f"/api/traces/{trace_id}", {}, accept)
    except BackendError as error:
        raise BackendError(f"failed to get trace with id: {trace_id} Status: {error.status}", error.status) from error


RUN = {"prometheus": _prometheus, "loki": _loki, "tempo": _tempo}
