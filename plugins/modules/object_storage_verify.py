#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that object storage takes objects, with the keys of each component."""

from __future__ import annotations

DOCUMENTATION = r"""
module: object_storage_verify
short_description: Prove that object storage takes objects, with the keys of each component
version_added: 1.0.0
author: ias.observability contributors (@ias-observability)
description:
  - Reads the keys of each store out of its Secrets, puts a small object into each of its buckets, reads it back,
    lists it, puts it again with a checksum behind the body as clients of AWS do, and deletes it.
  - Says which component fails and why. No key, or no Secret (C(object-storage/no-secret)); an access key that the
    store does not know (C(object-storage/key)); a secret key that is not that of its access key (C(object-
    storage/secret-key)); a bucket that does not exist (C(object-storage/bucket)) or may not be used (C(object-
    storage/denied)); another region (C(object-storage/region)); a clock that is wrong (C(object-storage/clock)); no
    way to the endpoint (C(object-storage/endpoint)); an object that comes back changed (C(object-storage/content));
    anything else that the store says (C(object-storage/refused)). A store that refuses the checksum behind the body
    is a warning (C(object-storage/trailers)).
  - The requests come from this machine; an endpoint C(<service>.<namespace>.svc) without TLS is reached through the
    Kubernetes API. The keys appear in no output.
options:
  namespace:
    description: The namespace of the Secrets.
    type: str
    default: ias-system
  stores:
    description: Where the components keep their objects, as filter P(ias.observability.object_stores#filter) gives it.
    type: list
    elements: dict
    required: true
    suboptions:
      component:
        description: The name that findings have.
        type: str
        required: true
      endpoint:
        description: Host, and port where it has one.
        type: str
        required: true
      region:
        description: The region that requests are signed for.
        type: str
        default: ""
      insecure:
        description: Whether it has no TLS.
        type: bool
        default: false
      buckets:
        description: The buckets.
        type: list
        elements: str
        required: true
      secrets:
        description: The Secrets that have the keys.
        type: list
        elements: str
        required: true
      access_key:
        description: The Secret's key that has the access key id.
        type: str
        required: true
      secret_key:
        description: The Secret's key that has the secret access key.
        type: str
        required: true
  timeout:
    description: How many seconds all requests together may take.
    type: int
    default: 60
extends_documentation_fragment:
  - ias.observability._kubernetes
  - ias.observability._attributes
attributes:
  check_mode:
    support: full
    details: In check mode nothing is put; the buckets are listed.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Each run deletes the objects that it has put.
"""

EXAMPLES = r"""
- name: Try the bucket of Tempo
  ias.observability.object_storage_verify:
    stores:
      - component: tempo
        endpoint: us-ord-1.linodeobjects.com
        region: us-ord-1
        buckets: [ias-tempo-traces]
        secrets: [tempo-s3]
        access_key: TEMPO_S3_ACCESS_KEY_ID
        secret_key: TEMPO_S3_SECRET_ACCESS_KEY
"""

RETURN = r"""
findings:
  description: Everything that is wrong; the module fails when one of them is an error.
  type: list
  elements: dict
  returned: always
  sample:
    - id: object-storage/bucket
      severity: error
      object: tempo/ias-tempo-traces
      message: "bucket ias-tempo-traces does not exist (put: 404 NoSuchBucket)"
summary:
  description: How many steps were checked, and how many passed.
  type: dict
  returned: always
  sample: {checked: 15, passed: 15}
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..module_utils import _kube
from ..module_utils._checks.object_storage import Store
from ..module_utils._ending import end
from ..module_utils._http import NO_DEADLINE, Deadline
from ..module_utils._http.transport import Transport
from ..module_utils._kube.module import kube_module
from ..module_utils._s3.client import Bucket, S3Error
from ..module_utils._s3.signature import Keys
from ..module_utils._service import manager_for
from ..module_utils._verify.object_storage import Canary

IN_CLUSTER = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?\.?(?::(\d+))?")
HOST = re.compile(r"[\w.-]+(:\d+)?")
REQUEST_SECONDS = 15.0
ATTEMPTS = 2
DIRECT = {"ca_file": None, "client_cert": None, "client_key": None, "validate_certs": True}
TEXT = {"type": "str", "required": True}
TEXTS = {"type": "list", "elements": "str", "required": True}
STORE = {
    "component": TEXT,
    "endpoint": TEXT,
    "region": {"type": "str", "default": ""},
    "insecure": {"type": "bool", "default": False},
    "buckets": TEXTS,
    "secrets": {**TEXTS, "no_log": False},
    "access_key": {**TEXT, "no_log": False},
    "secret_key": {**TEXT, "no_log": False},
}
ARGUMENTS = {
    "namespace": {"type": "str", "default": "ias-system"},
    "stores": {"type": "list", "elements": "dict", "required": True, "options": STORE},
    "timeout": {"type": "int", "default": 60},
}


def main() -> None:
    module = kube_module(ARGUMENTS, supports_check_mode=True)
    params = module.params
    deadline = NO_DEADLINE.within(params["timeout"])
    what = "Object storage cannot be used as it is"
    try:
        cluster = _kube.Cluster(_kube.connect(params), deadline)
        canary = Canary(lambda store, bucket, keys: opened(cluster, deadline, store, bucket, keys), module.check_mode)
        result = canary.verify(cluster, params["namespace"], [read_store(entry) for entry in params["stores"]])
    except _kube.KubeError as error:
        module.fail_json(msg=f"{what}: {error}")
    end(module, what, result.findings, summary={"checked": result.checked, "passed": result.passed})


def read_store(entry: Mapping[str, Any]) -> Store:
    return Store(**{**entry, "buckets": tuple(entry["buckets"]), "secrets": tuple(entry["secrets"])})


@contextlib.contextmanager
def opened(cluster: _kube.Cluster, deadline: Deadline, store: Store, name: str, keys: Keys) -> Iterator[Bucket]:
    """The bucket, reached directly, or through the Kubernetes API where only the cluster knows its host."""
    inside = IN_CLUSTER.fullmatch(store.endpoint) if store.insecure else None
    if inside:
        try:
            with _kube.forward(cluster, inside[2], inside[1], int(inside[3] or 80)) as tunnel:
                transport = Transport(tunnel.pool, deadline, REQUEST_SECONDS, ATTEMPTS)
                yield Bucket(transport, "", store.endpoint, store.region, name, keys)
        except _kube.KubeError as error:
            raise S3Error(0, "", str(error)) from error
        return
    if not HOST.fullmatch(store.endpoint):
        raise S3Error(0, "", "an endpoint is a host, and a port where it has one")
    url = f"{'http' if store.insecure else 'https'}://{store.endpoint}"
    manager = manager_for({**DIRECT, "url": url})
    try:
        transport = Transport(manager, deadline, REQUEST_SECONDS, ATTEMPTS)
        yield Bucket(transport, url, store.endpoint, store.region, name, keys)
    finally:
        manager.clear()


if __name__ == "__main__":
    main()
