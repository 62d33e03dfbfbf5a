# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put an object into each bucket with its component's keys, read it back, list it, delete it."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from .._checks.object_storage import (
    CHECKS_EACH,
    PUT_WITH_TRAILER,
    Attempt,
    Failure,
    Store,
    check_attempts,
    no_secret,
)
from .._checks.result import CheckResult
from .._findings import Finding
from .._kube import Cluster, KubeError
from .._s3.client import Bucket, S3Error
from .._s3.signature import Keys

PREFIX = "observability-canary-"
WORKERS = 4
Open = Callable[[Store, str, Keys], AbstractContextManager[Bucket]]
"""Reaches a bucket; raises S3Error where there is no way to it."""
Step = tuple[str, Callable[[], None]]


class UnlikeError(Exception):
    """What came back is not what was sent; the text says what it is."""


@dataclass(frozen=True)
class Canary:
    """One object of this run. In a dry run nothing is written: the bucket is listed."""

    open: Open
    dry_run: bool = False

    def verify(self, cluster: Cluster, namespace: str, stores: Sequence[Store]) -> CheckResult:
        found = [(store, read_keys(cluster, namespace, store)) for store in stores]
        missing = [keys for _store, keys in found if isinstance(keys, Finding)]
        wanted = [(store, bucket, keys) for store, keys in found if isinstance(keys, Keys) for bucket in store.buckets]
        with ThreadPoolExecutor(WORKERS) as threads:
            attempts = list(threads.map(lambda each: self._try(*each), wanted))
        return check_attempts(attempts, missing, time.time(), steps=1 if self.dry_run else CHECKS_EACH)

    def _try(self, store: Store, bucket: str, keys: Keys) -> Attempt:
        attempt = Attempt(store, bucket)
        try:
            with self.open(store, bucket, keys) as opened:
                for name, step in self._steps(opened):
                    attempt = advance(attempt, name, step)
                    if attempt.failures and attempt.failures[0].step != PUT_WITH_TRAILER:
                        break
        except S3Error as error:
            return replace(attempt, failures=(Failure("connect", error),))
        return attempt

    def _steps(self, bucket: Bucket) -> Iterator[Step]:
        if self.dry_run:
            yield "list", lambda: discard(bucket.sizes(PREFIX))
            return
        key, content = PREFIX + secrets.token_hex(8), secrets.token_bytes(64)

        def read() -> None:
            if bucket.get(key) != content:
                raise UnlikeError("the object is not the one that was put")

        def look() -> None:
            size = bucket.sizes(key).get(key)
            if size != len(content):
                raise UnlikeError(f"{size} bytes" if size else "the object is not in the list of its bucket")

        def trail() -> None:
            bucket.put_with_trailer(key, content)
            look()  # a store that takes the chunks for the content has more bytes

        yield "put", lambda: bucket.put(key, content)
        yield "get", read
        yield "list", look
        yield PUT_WITH_TRAILER, trail
        yield "delete", lambda: bucket.delete(key)


def advance(attempt: Attempt, name: str, step: Callable[[], None]) -> Attempt:
    try:
        step()
    except S3Error as error:
        return replace(attempt, failures=(*attempt.failures, Failure(name, error)))
    except UnlikeError as error:
        return replace(attempt, failures=(*attempt.failures, Failure(name, str(error))))
    return replace(attempt, passed=attempt.passed + 1)


def discard(_value: object) -> None:
    """For a step whose answer does not matter."""


def read_keys(cluster: Cluster, namespace: str, store: Store) -> Keys | Finding:
    """The component's keys, out of the Secrets that are its environment; a finding where they are not there."""
    data: dict[str, str] = {}
    for name in store.secrets:
        try:
            secret = cluster.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except KubeError as error:
            return no_secret(store, namespace, error.message)
        if secret is None:
            return no_secret(store, namespace, f"Secret {name} does not exist in namespace {namespace}")
        data |= secret.get("data") or {}
    for key in (store.access_key, store.secret_key):
        if not data.get(key):
            named = " and ".join(store.secrets) or "of its values"
            return no_secret(store, namespace, f"Secret {named} in namespace {namespace} has no key {key}")
    access, secret_key = (
        base64.b64decode(data[key]).decode("utf-8", "replace") for key in (store.access_key, store.secret_key)
    )
    return Keys(access, secret_key)
