# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures, and the three body shapes in which Grafana tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiError(Exception):
    """A failure with its status; the path decides in which shape it is told."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        tag: str = "",
        message_id: str = "",
        reason: str = "",
        details: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.tag = tag
        self.message_id = message_id
        self.reason = reason or REASONS.get(code, "InternalError")
        self.details = dict(details or {})
        self.body = body

    def plain(self) -> dict[str, Any]:
        """/api: errutil's shape where the failure has an id, else message and, for some, a status word."""
        if self.body is not None:
            return dict(self.body)
        if self.message_id:
            return {"message": self.message, "messageId": self.message_id, "statusCode": self.code, "traceID": ""}
        return {"message": self.message, "status": self.tag} if self.tag else {"message": self.message}

    def status(self) -> dict[str, Any]:
        """/apis: a Kubernetes Status."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            **({"message": self.message} if self.code != 403 or self.body is None else {}),
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def forbidden(permissions: Sequence[str]) -> ApiError:
    """403 of the access control: names what would have been needed."""
    wanted = permissions[0] if len(permissions) == 1 else "any of " + ", ".join(permissions)
    message = f"You'll need additional permissions to perform this action. Permissions needed: {wanted}"
    body = {"title": "Access denied", "message": message, "accessErrorId": "ACE0000000001"}
    return ApiError(403, message, body=body)


async def render(request: Request, error: Exception) -> Response:
    """Starlette's handler for ApiError. A request without valid credentials is refused before /apis sees it."""
    if not isinstance(error, ApiError):
        raise error
    headers = {"Retry-After": "1"} if error.code in (429, 503) else None
    if request.url.path.startswith("/apis") and error.code != 401:
        return JSONResponse(error.status(), error.code, headers)
    return JSONResponse(error.plain(), error.code, headers)
