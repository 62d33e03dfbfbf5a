# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that read files and return findings have in common: options, and how they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ._ci_formats import FORMATS
from ._ending import Module, end
from ._files import write_text
from ._findings import SEVERITIES, Finding, summary
from ._printable import printable
from ._promql import Profile
from ._promql.literals import parse_duration
from ._waivers import waive

VALIDATION_ARGS: dict[str, Any] = {
    "waivers": {"type": "path"},
    "fail_on": {"type": "str", "choices": list(SEVERITIES), "default": "error"},
    "outputs": {"type": "dict", "options": {name: {"type": "path"} for name in FORMATS}},
}
CONTRACT_ARGS: dict[str, Any] = {"contract": {"type": "path"}}
PROMETHEUS_ARGS: dict[str, Any] = {"prometheus_version": {"type": "str", "default": "3.14"}}
SCRAPE_ARGS: dict[str, Any] = {"scrape_interval": {"type": "str", "default": "30s"}}


class Validator(Module, Protocol):
    """The part of AnsibleModule that is needed to end with files of findings."""

    check_mode: bool


def profile(module: Module) -> Profile:
    """The Prometheus that PROMETHEUS_ARGS name, and `prometheus_features` where the module has them."""
    try:
        return Profile.of(module.params["prometheus_version"], module.params.get("prometheus_features") or ())
    except ValueError as error:
        module.fail_json(msg=f"prometheus_version: {error}")
        raise


def scrape_interval(module: Module) -> float:
    """The option of SCRAPE_ARGS, in seconds."""
    written = str(module.params["scrape_interval"])
    try:
        seconds = parse_duration(written)
    except ValueError:
        seconds = 0.0
    if not seconds:
        module.fail_json(msg=f"scrape_interval must be a duration such as 15s or 1m, not {written!r}")
    return seconds


class Judged(NamedTuple):
    """The findings that count, and those that a waiver lets through."""

    left: list[Finding]
    waived: list[Finding]


def finish(
    module: Validator, what: str, findings: Iterable[Finding], counts: Mapping[str, int], facts: Mapping[str, object]
) -> None:
    """Let through what is waived, and end the module as `conclude` does."""
    conclude(module, what, judge(module, findings), counts, facts)


def judge(module: Module, findings: Iterable[Finding]) -> Judged:
    """By the file of the option `waivers`."""
    path = module.params["waivers"]
    return Judged(*waive(findings, path)) if path else Judged(list(findings), [])


def conclude(
    module: Validator, what: str, judged: Judged, counts: Mapping[str, int], facts: Mapping[str, object]
) -> None:
    """Write what is left for CI systems, and end the module: failed, saying `what` and every finding that is left, when
    one is as severe as `fail_on`."""
    end(
        module,
        what,
        judged.left,
        module.params["fail_on"],
        changed=_write_outputs(module, judged.left),
        waived=[finding.as_dict() for finding in judged.waived],
        summary={**summary(judged.left), **counts},
        **facts,
    )


def _write_outputs(module: Validator, findings: list[Finding]) -> bool:
    """Whether a file of `outputs` was not as it is to be."""
    outputs = {name: path for name, path in (module.params["outputs"] or {}).items() if path}
    shown = [_shown(finding) for finding in findings] if outputs else []
    changed = False
    for name, path in outputs.items():
        text = FORMATS[name](shown, module.params["fail_on"])
        try:
            changed |= write_text(Path(path), text, dry_run=module.check_mode)
        except OSError as error:
            module.fail_json(msg=f"outputs.{name}: {path} cannot be written: {error.strerror or error}")
    return changed


def _shown(finding: Finding) -> Finding:
    """As a reader is to see it."""
    return relative(finding, Path.cwd())._replace(
        message=printable(finding.message),
        hint=printable(finding.hint),
        object=printable(finding.object),
    )


def relative(finding: Finding, root: Path) -> Finding:
    """With the name that its file has below the folder, where it lies there."""
    file = Path(finding.file)
    return finding._replace(file=str(file.relative_to(root))) if file.is_relative_to(root) else finding
