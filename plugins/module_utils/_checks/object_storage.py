# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an object store take objects and give them back, with the keys of each component? If not: why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .._findings import Finding, Severity
from .._s3.client import S3Error
from .result import CheckResult

CHECKS_EACH = 5
"""An object is put, read, listed, put with a checksum behind it, and deleted."""
PUT_WITH_TRAILER = "put with a checksum behind it"
SKEW_SECONDS = 15 * 60
"""What S3 allows."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where one component keeps its objects, as its values say."""

    component: str
    endpoint: str
    """Host, and port where it is not 443."""
    region: str
    buckets: tuple[str, ...]
    secrets: tuple[str, ...]
    """The Secrets whose keys are its environment."""
    access_key: str
    """The key of a Secret that has the access key id; likewise the secret access key."""
    secret_key: str
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed, and how; `error` is a text where no request was made or the content was another."""

    step: str
    error: S3Error | str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one bucket."""

    store: Store
    bucket: str
    passed: int = 0
    failures: tuple[Failure, ...] = ()


class Cause(NamedTuple):
    """Why a request failed, in our words."""

    id: str
    message: str
    hint: str


_REGION = Cause("region", "{region} is not the region of bucket {bucket}{wanted}", "Correct the region")
_DENIED = Cause(
    "denied", "the keys of Secret {secret} may not use bucket {bucket}", "Let them read, write, list and delete in it"
)
CAUSES = {
    "InvalidAccessKeyId": Cause(
        "key", "the store does not know the access key of Secret {secret}", "Renew {access_key}"
    ),
    "SignatureDoesNotMatch": Cause(
        "secret-key",
        "the secret key of Secret {secret} does not belong to its access key",
        "Renew {secret_key}; a newline at its end counts",
    ),
    "NoSuchBucket": Cause("bucket", "bucket {bucket} does not exist", "Make it: no component does"),
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "TemporaryRedirect": _REGION,
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
}
"""By the code of S3's error."""
REFUSED = Cause("refused", "the store refuses objects for bucket {bucket}", "Ask who runs the store")


def check_attempts(attempts: list[Attempt], missing: list[Finding], now: float, *, steps: int) -> CheckResult:
    """`missing` are the findings of stores whose keys are not there; `now` is this machine's clock."""
    findings = [*missing, *(explain(one, failure, now) for one in attempts for failure in one.failures)]
    return CheckResult(steps * len(attempts) + len(missing), sum(one.passed for one in attempts), findings)


def explain(attempt: Attempt, failure: Failure, now: float) -> Finding:
    """One failure, its cause first."""
    error = failure.error
    if failure.step == PUT_WITH_TRAILER:
        return _finding(
            attempt,
            "trailers",
            f"the store takes objects, but none whose checksum follows the body: {error}",
            "The clients of the contracts' values send none: keep loki.storage.use_thanos_objstore true",
            severity="warning",
        )
    if isinstance(error, str):
        return _finding(attempt, "content", f"{failure.step} gives something else: {error}", "Do not use this store")
    cause = _cause(attempt, error, now)
    said = "" if cause.id == "endpoint" else f" ({failure.step}: {error})"
    return _finding(attempt, cause.id, f"{cause.message}{said}", cause.hint)


def _cause(attempt: Attempt, error: S3Error, now: float) -> Cause:
    store = attempt.store
    if not error.status or not error.code:
        said = error.message or f"it answers {error.status} without an error of S3"
        return Cause(
            "endpoint",
            f"{store.endpoint} cannot be used as object storage: {said}",
            "Correct the endpoint (a host, no bucket in it) or open the way to it from this machine and the cluster",
        )
    skew = 0.0 if error.date is None else error.date - now
    if error.code == "RequestTimeTooSkewed" or abs(skew) > SKEW_SECONDS:
        message = f"this machine's clock is {abs(skew):.0f} seconds {'behind' if skew > 0 else 'ahead of'} the store's"
        return Cause("clock", message, "Correct the clock; those of the nodes must be right as well")
    identity, message, hint = CAUSES.get(error.code, REFUSED)
    words = {
        "secret": " and ".join(store.secrets),
        "bucket": attempt.bucket,
        "region": store.region,
        "wanted": f"; the store says {error.region}" if error.region else "",
        "access_key": store.access_key,
        "secret_key": store.secret_key,
    }
    return Cause(identity, message.format(**words), hint.format(**words))


def no_secret(store: Store, namespace: str, lacks: str) -> Finding:
    """`lacks` says what is not there."""
    keys = f"--from-file={store.access_key}=FILE --from-file={store.secret_key}=FILE"
    name = store.secrets[0] if store.secrets else f"{store.component}-s3"
    return Finding(
        "object-storage/no-secret",
        "error",
        lacks,
        f"Make it: kubectl create secret generic {name} -n {namespace} {keys}",
        object=store.component,
    )


def _finding(attempt: Attempt, identity: str, message: str, hint: str, severity: Severity = "error") -> Finding:
    return Finding(
        f"object-storage/{identity}", severity, message, hint, object=f"{attempt.store.component}/{attempt.bucket}"
    )
