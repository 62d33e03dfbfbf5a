# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that are almost right, for parsers that must never end in anything but a tree or their own error.

    PYTHONPATH=collections python -m tests.unit.mutants 1000000

tries as many of them on every language as the number says (the unit tests take a few thousand) and prints how many
were accepted.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ansible_collections.ias.observability.plugins.module_utils._logql import LogQLError
from ansible_collections.ias.observability.plugins.module_utils._logql import parse as parse_logql
from ansible_collections.ias.observability.plugins.module_utils._promql import PromQLError
from ansible_collections.ias.observability.plugins.module_utils._promql import parse as parse_promql
from ansible_collections.ias.observability.plugins.module_utils._rules.templates import TemplateError
from ansible_collections.ias.observability.plugins.module_utils._rules.templates import parse as parse_template
from ansible_collections.ias.observability.plugins.module_utils._traceql import TraceQLError
from ansible_collections.ias.observability.plugins.module_utils._traceql import parse as parse_traceql
from tests.unit._promql.grammar import EVERYTHING

CHARACTERS = "(){}[]|\\\"'`.,:;=!~<>+-*/%^@#$&?_ \n\t\x00aeiouxNI0159é\ufffd\U0001f600"
PARSERS: dict[str, tuple[Callable[[str], object], type[ValueError]]] = {
    "promql": (lambda text: parse_promql(text, EVERYTHING), PromQLError),
    "logql": (parse_logql, LogQLError),
    "traceql": (parse_traceql, TraceQLError),
    "template": (parse_template, TemplateError),
}


def mutants(seeds: Sequence[str], count: int, source: random.Random) -> Iterator[str]:
    """Seeds with one to four places changed: something cut, doubled, put in, or taken from another seed."""
    for _ in range(count):
        text = source.choice(seeds)
        for _ in range(source.randint(1, 4)):
            start = source.randint(0, len(text))
            end = min(len(text), start + source.randint(0, 8))
            piece = (
                "",
                source.choice(CHARACTERS),
                text[start:end] * 2,
                _slice(source.choice(seeds), source),
            )[source.randint(0, 3)]
            text = text[:start] + piece + text[end:]
        yield text


def _slice(text: str, source: random.Random) -> str:
    start = source.randint(0, len(text))
    return text[start : start + source.randint(1, 12)]


def seeds_of(corpus: Path) -> dict[str, list[str]]:
    """Real texts of each language."""
    found: dict[str, list[str]] = {}
    for language in ("promql", "logql", "traceql"):
        with gzip.open(corpus / f"{language}.jsonl.gz", "rt", encoding="utf-8") as lines:
            found[language] = [json.loads(line)["expr"] for line in lines]
    with gzip.open(corpus / "rulefiles.jsonl.gz", "rt", encoding="utf-8") as lines:
        groups = [group for line in lines for group in json.loads(line)["groups"]]
    texts = [str(text) for group in groups for rule in group["rules"] for text in rule.get("annotations", {}).values()]
    found["template"] = [text for text in texts if "{{" in text]
    return found


def accepted(language: str, seeds: Sequence[str], count: int, source: random.Random) -> int:
    """How many of the mutants the parser takes. Any error but its own is passed on, with the text."""
    parse, refusal = PARSERS[language]
    taken = 0
    for text in mutants(seeds, count, source):
        try:
            parse(text)
        except refusal:
            continue
        except Exception as error:
            raise AssertionError(f"{language} {text!r}: {error!r}") from error
        taken += 1
    return taken


def main() -> None:
    corpus = Path(os.environ.get("IAS_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "corpus"
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for language, seeds in seeds_of(corpus).items():
        taken = accepted(language, seeds, count, random.Random(count))
        print(json.dumps({"language": language, "mutants": count, "accepted": taken}), flush=True)


if __name__ == "__main__":
    main()
