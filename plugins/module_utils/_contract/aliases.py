# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A team's own names for the contract's metrics and jobs, put into expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SERIES = ("_bucket", "_sum", "_count")
# A text in quotes, with what stands before it when that is a job's matcher; or an identifier.
_TOKEN = re.compile(
    r"(?P<job>\bjob\s*(?:=~|!~|!=|=)\s*)?(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)"
    r"|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
)


@dataclass(frozen=True, slots=True)
class MetricAliases:
    """The contract's name → the team's; a name that is not there stays."""

    metrics: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.jobs)

    def metric(self, name: str) -> str:
        """The team's name of a metric, or of a histogram's series."""
        if name in self.metrics:
            return self.metrics[name]
        for suffix in _SERIES:
            if name.endswith(suffix) and (base := name.removesuffix(suffix)) in self.metrics:
                return self.metrics[base] + suffix
        return name

    def job(self, name: str) -> str:
        return self.jobs.get(name, name)

    def apply(self, text: str) -> str:
        """PromQL, or a template variable's query, in the team's names; its form and what is in quotes stay."""

        def renamed(match: re.Match[str]) -> str:
            if match["name"]:
                return self.metric(match["name"])
            if not match["job"]:
                return match["text"]
            quote, jobs = match["text"][0], match["text"][1:-1].split("|")
            return match["job"] + quote + "|".join(self.job(job) for job in jobs) + quote

        return _TOKEN.sub(renamed, text) if self else text
