# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a service or a cluster that does not answer."""

from __future__ import annotations

from .._findings import Finding
from .._http import HttpError
from .._kube import KubeError, UnreachableError


def unreachable(error: HttpError | KubeError) -> Finding:
    """The proof could not even ask."""
    if isinstance(error, UnreachableError):
        return Finding("verify/no-cluster", "error", error.message, error.hint)
    if isinstance(error, KubeError):
        return Finding("verify/unreachable", "error", error.message, error.hint)
    hint = "Check the credentials" if error.status in {401, 403} else "Check that the service runs and answers"
    return Finding("verify/unreachable", "error", str(error), hint)
