# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to Prometheus, Loki and Tempo, with the data source's address and credentials."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.lab.grafana.store import Resource


class BackendError(Exception):
    """The back end is not there, or refuses."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Backend:
    """One data source's server."""

    def __init__(self, client: httpx.AsyncClient, source: Resource) -> None:
        self._client = client
        self._source = source

    @property
    def kind(self) -> str:
        return str(self._source.spec["type"])

    def option(self, name: str, default: Any) -> Any:
        """From jsonData."""
        return self._source.spec["jsonData"].get(name) or default

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        url = self._source.spec["url"].rstrip("/") + path
        try:
            return await self._client.request(
                method,
                url,
                params=list(params),
                content=body or None,
                headers={**(headers or {}), **self._credentials()},
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            cause = str(error) or type(error).__name__
            raise BackendError(f'{method.capitalize()} "{url}": {cause}', 500) from error

    async def text(self, path: str, params: Mapping[str, str] | None = None) -> str:
        answer = await self.send("GET", path, params=list((params or {}).items()))
        if answer.status_code >= 400:
            raise BackendError(
                f"{answer.status_code} {answer.reason_phrase}: {answer.text.strip()}", answer.status_code
            )
        return answer.text

    async def json(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer as an object; Prometheus' errors as it words them."""
        answer = await self.send("GET", path, params=list(params.items()), headers=headers)
        try:
            value = answer.json()
        except ValueError:
            value = None
        if isinstance(value, dict) and value.get("status") == "error":
            raise BackendError(f"{value.get('errorType')}: {value.get('error')}", answer.status_code)
        if answer.status_code >= 400:
            raise BackendError(answer.text.strip() or answer.reason_phrase, answer.status_code)
        if not isinstance(value, dict):
            raise BackendError(f"unexpected answer: {answer.text[:100]!r}", 500)
        return value

    def _credentials(self) -> dict[str, str]:
        spec = self._source.spec
        if not spec["basicAuth"]:
            return {}
        pair = f"{spec['basicAuthUser']}:{spec['secureJsonData'].get('basicAuthPassword', '')}"
        return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
