# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between us and a Kubernetes API, as one clear sentence each."""

from __future__ import annotations

import json


class KubeError(Exception):
    """The cluster cannot be used. `str()` is what the user reads: what is wrong, then what to do."""

    permanent = False  # asking again later can help

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}. {hint}" if hint else message)
        self.message = message
        self.hint = hint


class ApiError(KubeError):
    """The API answered, and the answer was no."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.permanent = status in {401, 403}


class CredentialsError(KubeError):
    """A Secret does not hold the credentials that it was named for."""

    permanent = True


def refused(status: int, body: bytes, method: str, url: str) -> ApiError:
    """Turn an HTTP answer of 400 or more into an error; Kubernetes explains itself in a Status object."""
    reason = _status_message(body)
    if status == 401:
        return ApiError(
            status,
            f"the Kubernetes API refused the credentials ({method} {url}: 401)",
            "Renew them or use another kubeconfig",
        )
    if status == 403:
        return ApiError(status, f"the Kubernetes API forbids {method} {url}: {reason}", "Ask for a role that allows it")
    return ApiError(status, f"{method} {url}: {status} {reason}")


def unreachable(host: str, error: BaseException) -> KubeError:
    """Explain a connection that never came to be; the library's own text nests up to four causes."""
    cause = root_cause(error)
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        reason = cause.partition("CERTIFICATE_VERIFY_FAILED] ")[2] or cause
        hint = "Python 3.13 and later also refuse a CA without the key usage extension" if "key usage" in reason else ""
        return KubeError(
            f"the TLS certificate of {host} is not trusted: {reason}",
            hint or "Check certificate-authority in the kubeconfig, or ca_cert",
        )
    return KubeError(
        f"the Kubernetes API at {host} cannot be reached: {cause}",
        "Check the server address in the kubeconfig, the network and that the cluster runs",
    )


def root_cause(error: BaseException) -> str:
    """The innermost reason of a urllib3 error, without object addresses."""
    inner = getattr(error, "reason", None)
    while isinstance(inner, BaseException):
        error, inner = inner, getattr(inner, "reason", None)
    text = str(error)
    return text.rpartition(">: ")[2] or text


def _status_message(body: bytes) -> str:
    try:
        status = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace").strip()[:300]
    return str(status.get("message", "")) if isinstance(status, dict) else str(status)[:300]
