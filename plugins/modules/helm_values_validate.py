#!/usr/bin/python
# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find Helm values that the chart ignores, refuses, or takes for something else."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_values_validate
short_description: Check Helm values against the chart
description:
  - Compares values with what a chart knows, that is its C(values.yaml), its C(values.schema.json) and the values that
    its templates read, those of its sub-charts included. Helm itself ignores a misspelled key without a word.
  - An archive or a folder is read offline, without Helm. A chart from a registry or repository is pulled once for each
    version and kept by its digest.
  - A C(values.schema.json) is judged by the library C(jsonschema). What it refers to elsewhere is never fetched, and a
    pattern that could take forever is left to Helm.
  - Findings never hold a value, only its key. Fails when a finding is an error; O(fail_on) makes it stricter.
options:
  values_files:
    description: Files of values, the later ones laid upon the earlier ones, as C(helm --values) does.
    type: list
    elements: path
  values:
    description: Values given directly, laid upon those of O(values_files).
    type: dict
  chart_repository:
    description: The URL of a chart repository, in which O(chart_ref) is a name then.
    type: str
  cache:
    description: The folder where pulled charts are kept. By default one in the user's cache.
    type: path
requirements:
  - jsonschema >= 4.18, where the chart has a C(values.schema.json)
author: ias.observability contributors (@ias-observability)
version_added: 1.0.0
seealso:
  - module: ias.observability.helm_release_plan
extends_documentation_fragment:
  - ias.observability._validation
  - ias.observability._chart
"""

EXAMPLES = r"""
- name: Check values against a chart on disk
  ias.observability.helm_values_validate:
    chart_ref: charts/loki-18.11.0.tgz
    values_files:
      - contracts/helm-values/loki.yaml
      - contracts/helm-values/profiles/small/loki.yaml

- name: Check values against a chart in a registry
  ias.observability.helm_values_validate:
    chart_ref: oci://ghcr.io/grafana-community/helm-charts/tempo
    chart_version: 2.2.4
    values_files: [contracts/helm-values/tempo.yaml]
"""

RETURN = r"""
findings:
  description: Everything that was found, by file and line. See O(fail_on).
  type: list
  elements: dict
  returned: always
  sample:
    - id: values/unknown-key
      severity: error
      file: contracts/helm-values/loki.yaml
      line: 12
      column: 3
      object: singleBinary.replica
      message: "loki 18.11.0 has no value singleBinary.replica: it is ignored"
      hint: did you mean 'replicas'?
waived:
  description: The findings that O(waivers) lets through, in the same form.
  type: list
  elements: dict
  returned: always
  sample: []
chart:
  description: The chart that was read, and the SHA-256 of its archive (empty for a folder).
  type: dict
  returned: always
  sample: {name: loki, version: 18.11.0, digest: 6f0c…}
summary:
  description: How many findings there are of each severity, and how many files of values were read.
  type: dict
  returned: always
  sample: {error: 1, warning: 0, info: 0, files: 1}
"""

import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.yaml import HAS_YAML

from ..module_utils._release.helm import Chart as Reference
from ..module_utils._release.helm import HelmError, pull
from ..module_utils._sources import Source
from ..module_utils._sources import read as read_texts
from ..module_utils._validation import VALIDATION_ARGS, finish
from ..module_utils._values import schema
from ..module_utils._values.chart import ChartError, read
from ..module_utils._values.check import check
from ..module_utils._values.source import Cache, default_cache, digest, files_of


def main() -> None:
    module = AnsibleModule(
        {
            "chart_ref": {"type": "str", "required": True},
            "chart_version": {"type": "str"},
            "chart_repository": {"type": "str"},
            "helm_binary": {"type": "str"},
            "values_files": {"type": "list", "elements": "path"},
            "values": {"type": "dict"},
            "cache": {"type": "path"},
            **VALIDATION_ARGS,
        },
        required_one_of=[("values_files", "values")],
        supports_check_mode=True,
    )
    if not HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    params = module.params
    texts, findings = read_texts(params["values_files"] or [])
    if params["values"] is not None:
        texts.append(Source("values", json.dumps(params["values"], indent=1)))
    reference = Reference(params["chart_ref"], params["chart_version"], params["chart_repository"])
    try:
        path = archive(module, reference)
        chart = read(files_of(path), str(path))
    except (ChartError, HelmError) as error:
        module.fail_json(msg=str(error))
    if chart.has_schema() and schema.MISSING:
        module.fail_json(
            msg=missing_required_lib(schema.MISSING, f"for the JSON Schema of {chart.name} {chart.version}")
        )
    version = {"name": chart.name, "version": chart.version, "digest": digest(path) if path.is_file() else ""}
    finish(
        module,
        f"The values do not fit {chart.name} {chart.version}",
        [*findings, *check(chart, texts)],
        {"files": len(texts)},
        {"chart": version},
    )


def archive(module: AnsibleModule, chart: Reference) -> Path:
    """Where the chart lies: the folder or archive itself, or the kept copy of what helm pulls."""
    path = Path(chart.ref)
    if chart.repository is None and "://" not in chart.ref:
        if not path.exists():
            raise ChartError(f"the chart {chart.ref} is not there: give a path, an oci:// reference, or a repository")
        return path
    if not (chart.version or chart.ref.endswith(".tgz") or "@sha256:" in chart.ref):
        raise ChartError(f"chart_version is needed for {chart.ref}: the newest one changes without notice")
    name = (chart.ref, chart.version or "", chart.repository or "")
    cache = Cache(Path(module.params["cache"] or default_cache()))
    return cache.get(name, lambda folder: pull(module, chart, folder))


if __name__ == "__main__":
    main()
