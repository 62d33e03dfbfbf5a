# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry (OCI distribution specification 1.1) or a Helm repository says of a chart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

import httpx
import yaml

SECONDS = 20
MOST_PAGES = 50
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
_LOCAL = ("127.0.0.1", "localhost")


class UnansweredError(Exception):
    """Nobody answered, or not with what was asked for: who was asked, and why not."""


@contextmanager
def asking() -> Iterator[httpx.Client]:
    """A client that gives up after a while, and takes a proxy from the environment."""
    with httpx.Client(timeout=SECONDS, follow_redirects=True) as client:
        yield client


def tags(client: httpx.Client, reference: str) -> list[str]:
    """The tags of `registry/repository`, from as many pages as there are. Raises UnansweredError."""
    url = f"{_base(reference)}/tags/list?n=1000"
    found: list[str] = []
    for _page in range(MOST_PAGES):
        answer = _asked(client, url)
        found += [str(tag) for tag in _items(_json(answer).get("tags"))]
        following = answer.links.get("next", {}).get("url")
        if not following:
            return found
        url = urljoin(str(answer.url), following)
    raise UnansweredError(f"{httpx.URL(url).host} has more than {MOST_PAGES} pages of tags for {reference}")


def digest(client: httpx.Client, reference: str, tag: str) -> str:
    """What a tag names now, as `sha256:…`. Raises UnansweredError."""
    answer = _asked(client, f"{_base(reference)}/manifests/{tag}", accept=_MANIFEST)
    found: str = answer.headers.get("Docker-Content-Digest", "")
    if not found:
        raise UnansweredError(f"{answer.url.host} tells no digest of {reference}:{tag}")
    return found


def listed(client: httpx.Client, index: str, chart: str) -> list[str]:
    """The versions of a chart in a Helm repository's index. Raises UnansweredError."""
    answer = _asked(client, index)
    try:
        entries = yaml.load(answer.text, Loader=yaml.CSafeLoader)["entries"][chart]
        return [str(entry["version"]) for entry in entries]
    except (yaml.YAMLError, KeyError, TypeError) as wrong:
        raise UnansweredError(f"{index} lists no versions of {chart}") from wrong


def _base(reference: str) -> str:
    registry, _slash, repository = reference.partition("/")
    scheme = "http" if registry.partition(":")[0] in _LOCAL else "https"  # as container engines do
    return f"{scheme}://{registry}/v2/{repository}"


def _asked(client: httpx.Client, url: str, accept: str = "*/*") -> httpx.Response:
    """The answer; where a registry wants to know who asks, as nobody in particular."""
    headers = {"Accept": accept}
    answer = _sent(client, url, headers)
    if answer.status_code == httpx.codes.UNAUTHORIZED and (wanted := answer.headers.get("WWW-Authenticate", "")):
        answer = _sent(client, url, headers | {"Authorization": f"Bearer {_token(client, wanted)}"})
    if not answer.is_success:
        raise UnansweredError(f"{answer.url.host} answered {answer.url.path} with {answer.status_code}")
    return answer


def _token(client: httpx.Client, challenge: str) -> str:
    wanted = dict(_PARAMETER.findall(challenge))
    if not challenge.startswith("Bearer ") or "realm" not in wanted:
        raise UnansweredError(
            f"the registry wants a login ({challenge.partition(' ')[0]}); only public charts are asked for"
        )
    answer = _sent(client, wanted.pop("realm"), {}, wanted)
    said = _json(answer) if answer.is_success else {}
    if not (token := said.get("token") or said.get("access_token")):
        raise UnansweredError(
            f"{answer.url.host} gave no token to read {wanted.get('scope', 'it')}: {answer.status_code}"
        )
    return str(token)


def _sent(
    client: httpx.Client, url: str, headers: dict[str, str], query: dict[str, str] | None = None
) -> httpx.Response:
    try:
        return client.get(url, headers=headers, params=query)
    except httpx.HTTPError as wrong:
        raise UnansweredError(
            f"{httpx.URL(url).host} cannot be reached ({wrong}); ask where it can, or set HTTPS_PROXY"
        ) from wrong
    except httpx.InvalidURL as wrong:
        raise UnansweredError(f"{url} is no address: {wrong}") from wrong


def _json(answer: httpx.Response) -> dict[str, object]:
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UnansweredError(f"{answer.url.host} answered {answer.url.path} with something that is no JSON object")
    return said


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
