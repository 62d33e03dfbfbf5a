# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that read files and return findings are told alike."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  waivers:
    description:
      - A file with a list C(waivers) of findings to let through. Each has C(id), C(reason), C(until) (a date) and
        optionally C(object) and C(file); C(id), C(object) and C(file) may hold C(*).
      - A waiver that has expired is an error, and one without a finding a warning. Neither can be waived.
    type: path
  fail_on:
    description: The module fails when a finding is at least so severe.
    type: str
    choices: [error, warning, info]
    default: error
  outputs:
    description:
      - Files to write the findings to, for CI systems, also when the module fails. Those that are waived are left out.
        Folders that are missing are made.
    type: dict
    suboptions:
      sarif:
        description: SARIF 2.1.0, as code scanning and editors read it.
        type: path
      junit:
        description: JUnit XML. What makes the module fail is a failed case, any other finding one that passed.
        type: path
      github:
        description:
          - Workflow commands of GitHub. Once a step prints the file, GitHub shows the findings beside the lines of the
            pull request.
        type: path
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    details: It modifies nothing but the files of O(outputs), and in check mode not even these.
  diff_mode:
    support: none
    description: Will return details on what has changed (or would change in C(check_mode)), when in diff mode.
  idempotent:
    support: full
    description: When run twice in a row with the same arguments, the second run changes nothing.
"""

    # For modules that read PromQL.
    PROMETHEUS = r"""
options:
  prometheus_version:
    description: The version of Prometheus that is to load the rules or to answer the queries, from 3.5 on.
    type: str
    default: "3.14"
"""

    # For modules that judge ranges by how often metrics are scraped.
    SCRAPE = r"""
options:
  scrape_interval:
    description:
      - How far apart two scrapes of a target are, as Prometheus writes durations. A range of C(rate()) that holds fewer
        than four is a finding.
    type: str
    default: 30s
"""

    # For modules that know which metrics there are.
    CONTRACT = r"""
options:
  contract:
    description:
      - A file that says which metrics there are. With it the names, labels, values and types in all expressions are
        checked too; such findings begin with C(contract/).
      - C(services) maps each service to its C(job) (by default its name) and its C(metrics), and each metric to its
        C(type) (C(counter), C(gauge), C(histogram) or C(summary)) and its C(labels), a list of names, or a mapping of
        names to what they may hold - a list of values, how many at most (C(max)), or any number (C(unbounded)).
        C(period) says how often the job runs that changes the metric (V(1d)), where it does not change all the time.
        C(target_labels) lists labels that the scrape adds, C(known_metrics) patterns of metrics from elsewhere, such
        as V(kube_*).
    type: path
"""
