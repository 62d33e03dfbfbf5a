#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is wrong with alerting and recording rules before Prometheus does."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alert_rules_validate
short_description: Find what is wrong with alerting and recording rules
description:
  - Reads rule files and PrometheusRule manifests and reports everything that is wrong with them. Neither a cluster
    nor C(promtool) is needed; where there is a C(promtool), it is asked too.
  - Findings whose id begins with C(load/) say what Prometheus or the operator would refuse, C(rules/) what loads but
    does not do what it looks like, C(metadata/) what a person who is woken up would miss.
  - Fails when a finding is an error; O(fail_on) makes it stricter.
options:
  paths:
    description: Rule files, PrometheusRule manifests, or folders of them.
    type: list
    elements: path
  rules:
    description: Rules given directly, as the content of a rule file or of a PrometheusRule manifest.
    type: dict
  prometheus_features:
    description: What the server has in C(--enable-feature), as far as it concerns PromQL.
    type: list
    elements: str
    choices:
      - promql-experimental-functions
      - promql-duration-expr
      - promql-extended-range-selectors
      - promql-binop-fill-modifiers
    default: []
  alertmanager_config:
    description:
      - Alertmanager's configuration, as the path of its file or as a mapping. With it each alert of the rules is
        routed, with the labels of its rule and those that its expression can have; such findings begin with
        C(rules/routing-).
      - An error is only what Alertmanager would not load. What integrations, templates and time intervals hold is not
        looked at.
    type: raw
  promtool:
    description:
      - The command that starts C(promtool), whose opinion is added as C(load/promtool) where it is another one. It gets
        the rules on standard input, so that the one inside a Prometheus pod can be asked through C(kubectl exec -i).
      - One that does not answer within a minute is ended, and a warning says so.
      - By default the first on E(PATH) is asked, if there is one. An empty list asks none.
    type: list
    elements: str
  tests:
    description:
      - Test files for C(promtool test rules), or folders of them. With them each alert needs a case in which it fires
        and one in which it stays silent, as M(ias.observability.alert_rules_coverage) says in detail; such findings
        begin with C(coverage/).
    type: list
    elements: path
  return_rules:
    description:
      - Whether the answer has RV(rules). Without them the answer to many rule files is less than half as long, and so
        is what a controller keeps of the task.
    type: bool
    default: true
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.alert_rules_coverage
extends_documentation_fragment:
  - ias.observability._validation
  - ias.observability._validation.prometheus
  - ias.observability._validation.contract
  - ias.observability._validation.scrape
"""

EXAMPLES = r"""
- name: Check the rules of this repository
  ias.observability.alert_rules_validate:
    paths: [contracts/alerts.yaml]

- name: Check that somebody is told of each alert
  ias.observability.alert_rules_validate:
    paths: [contracts/alerts.yaml]
    alertmanager_config: contracts/alertmanager.yaml

- name: Fail for warnings too, and write what was found for code scanning
  ias.observability.alert_rules_validate:
    paths: [contracts/alerts.yaml]
    fail_on: warning
    outputs:
      sarif: reports/alerts.sarif

- name: Check one rule for an older server
  ias.observability.alert_rules_validate:
    prometheus_version: "3.5"
    rules:
      groups:
        - name: api
          rules:
            - alert: ApiDown
              expr: up{job="api"} == 0 or absent(up{job="api"})
              for: 5m
              labels: {severity: critical}
"""

RETURN = r"""
findings:
  description: Everything that was found, by file and line. See O(fail_on).
  type: list
  elements: dict
  returned: always
  sample:
    - id: rules/template-label
      severity: error
      file: contracts/alerts.yaml
      line: 12
      column: 9
      object: api/HighErrorRate
      message: annotation 'summary' uses $labels.pod, which the expression does not keep
      hint: add pod to the aggregation or the matching, or leave it out of the text
waived:
  description: The findings that O(waivers) lets through, in the same form.
  type: list
  elements: dict
  returned: always
  sample: []
summary:
  description: How many findings there are of each severity, and how many files and rules were read.
  type: dict
  returned: always
  sample: {error: 1, warning: 0, info: 3, files: 1, rules: 24}
promtool:
  description: Whether C(promtool) has been asked, and its version.
  type: dict
  returned: always
  sample: {asked: true, version: 3.16.0}
rules:
  description: The rules as Prometheus understands them; durations are seconds, group labels are merged in.
  type: list
  elements: dict
  returned: when O(return_rules)
  sample:
    - file: contracts/alerts.yaml
      group: api
      kind: alert
      name: ApiDown
      expr: up{job="api"} == 0 or absent(up{job="api"})
      for: 300.0
      keep_firing_for: 0.0
      labels: {severity: critical}
      annotations: {}
      line: 4
"""

import gc
import json
from collections.abc import Sequence
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.validation import check_type_path
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils import _programs
from ..module_utils._alertmanager.lint import lint_configuration
from ..module_utils._findings import Finding, by_place
from ..module_utils._promql import Profile
from ..module_utils._promql.profile import FEATURES
from ..module_utils._rule_tests import load as unit_tests
from ..module_utils._rule_tests.coverage import cover
from ..module_utils._rules.check import Result, check, normalised
from ..module_utils._rules.promtool import Promtool, PromtoolUnavailable
from ..module_utils._rules.report import RuleReport
from ..module_utils._sources import Source, read
from ..module_utils._validation import (
    CONTRACT_ARGS,
    PROMETHEUS_ARGS,
    SCRAPE_ARGS,
    VALIDATION_ARGS,
    finish,
    profile,
    scrape_interval,
)

PROMTOOL_SECONDS = 60


def main() -> None:
    module = AnsibleModule(
        {
            "paths": {"type": "list", "elements": "path"},
            "rules": {"type": "dict"},
            **PROMETHEUS_ARGS,
            "prometheus_features": {
                "type": "list",
                "elements": "str",
                "choices": sorted(FEATURES),
                "default": [],
            },
            **CONTRACT_ARGS,
            **SCRAPE_ARGS,
            "alertmanager_config": {"type": "raw"},
            "promtool": {"type": "list", "elements": "str"},
            "tests": {"type": "list", "elements": "path"},
            "return_rules": {"type": "bool", "default": True},
            **VALIDATION_ARGS,
        },
        required_one_of=[("paths", "rules")],
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    gc.disable()  # one short run that makes many small objects and no garbage worth collecting
    server = profile(module)
    interval = scrape_interval(module)
    sources, findings = read(params["paths"] or [])
    if params["rules"] is not None:
        sources.append(Source("rules", json.dumps(params["rules"], indent=1)))
    contracts, problems = read([params["contract"]] if params["contract"] else [])
    alertmanager, unread = alertmanager_source(module, params["alertmanager_config"])
    problems += unread
    result = check(sources, server, contract=contracts[0] if contracts else None, scrape_interval=interval)
    found = list(result.findings)
    if alertmanager is not None:
        found = by_place([*found, *lint_configuration(alertmanager, result.index)])
    if params["tests"] is not None:
        tests, unread = read(params["tests"])
        problems += unread
        report = RuleReport()
        cases = [test for source in tests for test in unit_tests.load(source.path, source.text, report)]
        cover(result.index, cases, report)
        problems += report.findings
    findings = [*findings, *problems, *found]
    texts = {source.path: source.text for source in sources}
    opinion, differences = ask_promtool(module, server, result, texts)
    facts: dict[str, object] = {"promtool": opinion}
    if params["return_rules"]:
        facts["rules"] = normalised(result.files)
    gc.freeze()  # nor does the interpreter look through all of them once more when it ends
    finish(
        module,
        "The rules are not fit for use",
        [*findings, *differences],
        {"files": len(sources), "rules": len(result.index.rules)},
        facts,
    )


def ask_promtool(
    module: AnsibleModule, server: Profile, result: Result, texts: dict[str, str]
) -> tuple[dict[str, object], list[Finding]]:
    """Whether promtool was asked and which, and what it sees differently."""
    given = module.params["promtool"]
    words = ["promtool"] if given is None else given
    program = module.get_bin_path(words[0]) if words else None
    if program is None:
        missing = [_unasked(f"{words[0]} is not there")] if given else []
        return {"asked": False, "version": ""}, missing

    def run(arguments: Sequence[str], text: str) -> tuple[int, str]:
        try:
            code, out, err = _programs.run(module, [program, *words[1:], *arguments], PROMTOOL_SECONDS, data=text)
        except _programs.TimeoutExpired as error:
            raise PromtoolUnavailable(f"{words[0]} did not answer within {PROMTOOL_SECONDS} s") from error
        except OSError as error:
            raise PromtoolUnavailable(f"{program} cannot be run: {error.strerror}") from error
        return code, f"{out}{err}"

    try:
        promtool = Promtool(run, server)
        differences = promtool.disagreements(result.files, texts, result.findings)
    except PromtoolUnavailable as error:
        return {"asked": False, "version": ""}, [_unasked(str(error))]
    return {"asked": True, "version": promtool.version}, differences


def _unasked(why: str) -> Finding:
    return Finding("load/promtool", "warning", f"promtool could not be asked: {why}", "see the option promtool")


def alertmanager_source(module: AnsibleModule, given: object) -> tuple[Source | None, list[Finding]]:
    """The configuration's text, and why it could not be read."""
    if given is None:
        return None, []
    if isinstance(given, dict):
        return Source("alertmanager_config", json.dumps(given, indent=1)), []
    # What is no path is not repeated: a configuration given as text may hold a receiver's secret.
    is_path = isinstance(given, str) and given and "\n" not in given
    path = check_type_path(given) if is_path else None
    if path is None or Path(path).is_dir():
        what = (
            f"the folder {path}" if path else "a text" if isinstance(given, str) else f"of type {type(given).__name__}"
        )
        module.fail_json(msg=f"alertmanager_config must be the path of a file or a mapping, not {what}")
    sources, unread = read([str(path)])
    return (sources[0] if sources else None), unread


if __name__ == "__main__":
    main()
