# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of a cluster, several at once; what may not be read is remembered, not an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

from .._findings import Finding
from .._kube.access import space_of
from .._kube.client import Cluster, Object
from .._kube.errors import ApiError
from .._kube.permissions import Permission, Scope

WORKERS = 8
Listed: TypeAlias = "list[Object] | None"
"""None where it could not be read."""


@dataclass
class Lists:
    """A context manager: its threads end with it."""

    cluster: Cluster
    namespace: str
    unread: list[Permission] = field(default_factory=list)
    broken: list[ApiError] = field(default_factory=list)

    def __enter__(self) -> Lists:
        self.threads = ThreadPoolExecutor(WORKERS)
        return self

    def __exit__(self, *_error: object) -> None:
        self.threads.shutdown(cancel_futures=True)

    def begin(
        self,
        scope: Scope,
        group: str,
        resource: str,
        *,
        names: bool = False,
        slim: Callable[[Object], Object] = dict,
        **query: str,
    ) -> Future[Listed]:
        """A list that is read beside others: metadata only for `names`, and of each object what `slim` leaves."""
        return self.threads.submit(
            lambda: self.collect(
                Permission(scope, "list", group, resource),
                lambda path: map(slim, (self.cluster.names if names else self.cluster.items)(path, **query)),
            )
        )

    def begin_one(self, resource: str, name: str) -> Future[Object | None]:
        """An object without a namespace; None where there is none, or it could not be read."""

        def read() -> Object | None:
            found = self.collect(
                Permission("cluster", "get", "", resource), lambda path: [self.cluster.get(f"{path}/{name}")]
            )
            return found[0] if found else None

        return self.threads.submit(read)

    def collect(self, permission: Permission, read: Callable[[str], Iterable[Object]]) -> Listed:
        """All that `read` gives for the path of the list; nothing of a kind that the API does not know."""
        try:
            return list(read(self._path(permission)))
        except ApiError as error:
            if error.status == 404:
                return []
            if error.status == 403:
                self.unread.append(permission)
            else:
                self.broken.append(error)
            return None

    def findings(self) -> list[Finding]:
        found = [Finding("cluster/api", "error", error.message, error.hint) for error in self.broken]
        if self.unread:
            names = ", ".join(sorted(map(str, self.unread)))
            message = f"a part of the cluster was not looked at: these credentials may not {names}"
            hint = "Grant what contracts/rbac/deployer.yaml grants, or look at it yourself"
            found.append(Finding("cluster/unread", "warning", message, hint))
        return found

    def _path(self, permission: Permission) -> str:
        base = f"/apis/{permission.group}/v1" if permission.group else "/api/v1"
        space = space_of(permission.scope, self.namespace)
        return f"{base}/namespaces/{space}/{permission.resource}" if space else f"{base}/{permission.resource}"
