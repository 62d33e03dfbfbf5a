# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loki's HTTP API, the part that proofs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from ._http import Api


@dataclass(frozen=True)
class Loki:
    api: Api

    def instant(self, expr: str) -> list[dict[str, str]]:
        """The label sets of a metric query's answer that have a value above zero."""
        answer = self.api.post_form("/loki/api/v1/query", {"query": expr})
        return [series["metric"] for series in answer["data"]["result"] if float(series["value"][1]) > 0]

    def streams(self, expr: str, *, start: int, end: int, limit: int) -> list[dict[str, Any]]:
        """The streams of a log query between two times in nanoseconds."""
        form = {"query": expr, "start": str(start), "end": str(end), "limit": str(limit)}
        answer = self.api.post_form("/loki/api/v1/query_range", form)
        return cast("list[dict[str, Any]]", answer["data"]["result"])
