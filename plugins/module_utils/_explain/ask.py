# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the questions of a walk to the servers, and give it the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._causes.chain import Step
from .._causes.objects import Labels, Objects, labels_of, selects
from .._causes.operator import operator_pods
from .._causes.walk import Answers, Question, Sample, Walk
from .._http import Api, HttpError, labels, parse, text
from .._kube import KubeError
from .._loki import Loki
from .._prometheus import Prometheus
from .._tempo import Tempo
from .cluster import read_objects, with_logs

if TYPE_CHECKING:  # whoever is given a URL does not import the Kubernetes client
    from .._kube import Cluster

WORKERS = 8
SPAN_SECONDS = 900
"""How far back traces are looked for."""
MOST_TRACES = 5


@dataclass
class Stack:
    """Where the questions go, or why one cannot be asked. The cluster is read once, when it is first asked for."""

    prometheus: Api | KubeError
    loki: Api | KubeError
    tempo: Api | KubeError
    cluster: Cluster | None
    collector: Labels
    series: Api | KubeError | None = None
    """Where PromQL goes when it is not Prometheus itself: a data source, which may keep samples elsewhere."""
    _objects: list[Objects] = field(default_factory=list)

    def objects(self) -> Objects:
        if not self._objects:
            self._objects.append(self._read(self.cluster) if self.cluster else Objects())
        return self._objects[0]

    def _read(self, cluster: Cluster) -> Objects:
        objects = read_objects(cluster)
        wanted = {"matchLabels": self.collector}
        collectors = [pod for pod in objects.of("pods") if selects(wanted, labels_of(pod))]
        return with_logs(cluster, objects, [*operator_pods(objects), *collectors])

    def queried(self) -> Api:
        return reached(self.prometheus if self.series is None else self.series)

    def answer(self, question: Question) -> Any:
        return ASKED[question.kind](self, question.text)


def reached(api: Api | KubeError) -> Api:
    """The API of a service; KubeError where there was no way to it."""
    if isinstance(api, KubeError):
        raise api
    return api


def follow(walk: Walk, stack: Stack) -> list[Step]:
    """Go a walk to its end; what one batch asks is asked at once."""
    try:
        questions = next(walk)
        while True:
            questions = walk.send(ask(questions, stack))
    except StopIteration as end:
        return list(end.value)


def ask(questions: Sequence[Question], stack: Stack) -> Answers:
    """The answers, and the refusals. HttpError where a server does not answer."""
    given: dict[Question, Any] = {}
    errors: dict[Question, str] = {}

    def one(question: Question) -> Any:
        try:
            return stack.answer(question)
        except (HttpError, KubeError) as error:
            if isinstance(error, HttpError) and not 400 <= error.status < 500:
                raise  # no answer: what is not known must not be taken for empty
            return error

    with ThreadPoolExecutor(WORKERS) as pool:
        for question, answer in zip(questions, pool.map(one, questions), strict=True):
            if isinstance(answer, HttpError):
                errors[question] = answer.reason
            elif isinstance(answer, KubeError):
                errors[question] = answer.message
            else:
                given[question] = answer
    return Answers(given, errors)


def read_samples(answer: Any) -> list[Sample]:
    data = answer["data"]
    if data["resultType"] in {"scalar", "string"}:
        return [Sample({}, float(data["result"][1]), float(data["result"][0]))]
    return [
        Sample(labels(entry["metric"]), float(entry["value"][1]), float(entry["value"][0])) for entry in data["result"]
    ]


def _vector(stack: Stack, query: str) -> list[Sample]:
    path = "/api/v1/query"
    return parse("Prometheus", path, read_samples, stack.queried().post_form(path, {"query": query}))


def _texts(service: str, api: Api, path: str, query: Mapping[str, str] | None = None) -> list[str]:
    return parse(service, path, lambda answer: [text(name) for name in answer.get("data") or ()], api.get(path, query))


def _metadata(stack: Stack, name: str) -> list[dict[str, str]]:
    path = "/api/v1/targets/metadata"
    answer = reached(stack.prometheus).get(path, {"metric": name})
    return parse("Prometheus", path, lambda found: [labels(entry["target"]) for entry in found["data"]], answer)


def _spans(stack: Stack, query: str) -> Sequence[Any]:
    now = Prometheus(reached(stack.prometheus)).now()
    return Tempo(reached(stack.tempo)).search(query, start=now - SPAN_SECONDS, end=now, limit=MOST_TRACES)


def _tags(stack: Stack, _none: str) -> list[str]:
    path = "/api/v2/search/tags"
    return parse("Tempo", path, lambda answer: list(_scoped(answer)), reached(stack.tempo).get(path))


def _scoped(answer: Any) -> Iterator[str]:
    for scope in answer.get("scopes") or ():
        name = text(scope["name"])
        yield from (tag if name == "intrinsic" else f"{name}.{tag}" for tag in map(text, scope.get("tags") or ()))


def _values(answer: Any) -> list[str]:
    return [text(entry["value"]) for entry in answer.get("tagValues") or ()]


def _tag_values(stack: Stack, name: str) -> list[str]:
    path = f"/api/v2/search/tag/{name}/values"
    return parse("Tempo", path, _values, reached(stack.tempo).get(path))


ASKED: Mapping[str, Callable[[Stack, str], Any]] = {
    "vector": _vector,
    "labels": lambda stack, selector: _texts("Prometheus", stack.queried(), "/api/v1/labels", {"match[]": selector}),
    "metric_names": lambda stack, _none: _texts("Prometheus", stack.queried(), "/api/v1/label/__name__/values"),
    "metadata": _metadata,
    "exposed": lambda stack, job: list(Prometheus(reached(stack.prometheus)).target_metadata(f'{{job="{job}"}}')),
    "targets": lambda stack, _none: Prometheus(reached(stack.prometheus)).targets(),
    "pools": lambda stack, _none: Prometheus(reached(stack.prometheus)).dropped(),
    "rules": lambda stack, _none: [
        rule for group in Prometheus(reached(stack.prometheus)).rule_groups() for rule in group.rules
    ],
    "cluster": lambda stack, _none: stack.objects(),
    "lines": lambda stack, query: [Sample(*sample) for sample in Loki(reached(stack.loki)).samples(query)],
    "stream_labels": lambda stack, _none: _texts("Loki", reached(stack.loki), "/loki/api/v1/labels"),
    "stream_values": lambda stack, label: _texts("Loki", reached(stack.loki), f"/loki/api/v1/label/{label}/values"),
    "spans": _spans,
    "tags": _tags,
    "tag_values": _tag_values,
}
