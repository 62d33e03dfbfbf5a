# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between us and a Kubernetes API, as one clear sentence each."""

from __future__ import annotations

from .._json import read_json
from .._printable import printable


class KubeError(Exception):
    """The cluster cannot be used. `str()` is what the user reads: what is wrong, then what to do."""

    permanent = False  # asking again later can help

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = printable(message)
        self.hint = printable(hint)
        super().__init__(f"{self.message}. {self.hint}" if hint else self.message)


class ApiError(KubeError):
    """The API answered, and the answer was no."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.permanent = status in {401, 403}


class UnreachableError(KubeError):
    """No answer came from the API server at all."""


class NotReadyError(KubeError):
    """No pod behind a service is ready; one may be in a moment."""


class SetupError(KubeError):
    """What the user gave (a kubeconfig, a URL, a Secret) cannot be used: only another one helps."""

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


def unreachable(host: str, cause: str) -> KubeError:
    """Explain a request that got no answer."""
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        reason = cause.partition("CERTIFICATE_VERIFY_FAILED] ")[2] or cause
        hint = "Python 3.13 and later also refuse a CA without the key usage extension" if "key usage" in reason else ""
        return SetupError(
            f"the TLS certificate of {host} is not trusted: {reason}",
            hint or "Check certificate-authority in the kubeconfig, or ca_cert",
        )
    return UnreachableError(
        f"the Kubernetes API at {host} cannot be reached: {cause}",
        "Check the server address in the kubeconfig, the network and that the cluster runs",
    )


def _status_message(body: bytes) -> str:
    try:
        status = read_json(body)
    except ValueError:
        return body.decode("utf-8", "replace").strip()[:300]
    return str(status.get("message", "")) if isinstance(status, dict) else str(status)[:300]
