# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Matchers of Alertmanager: what they accept, in a time that no pattern and no text makes long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.ias.observability.plugins.module_utils._alertmanager.configuration import load
from ansible_collections.ias.observability.plugins.module_utils._alertmanager.matchers import MatcherError, parse
from ansible_collections.ias.observability.plugins.module_utils._findings import Report
from tests.unit.growth import LINEAR, growth


@pytest.mark.parametrize(
    ("text", "value", "accepted"),
    [
        ('team=~"web|db"', "db", True),
        ('team=~"web|db"', "dbx", False),
        ('team!~"web|db"', "dbx", True),
        ('team=~"a.b"', "a\nb", False),
        ('team=~"web)|(db"', "webs", True),
        ('team=~"web)|(db"', "dbs", False),
        ('team=~"(?i)WEB|db"', "web", True),
        ('team=~"(?i)web"', "WEB", True),
        ('team=~"[[:alpha:]]+"', "web", True),
        (r'team=~"\\pL+"', "wäb", True),
        ('team=~"(a+b?)+"', "a" * 1000 + "!", False),
        (r'team=~"\\p{Greek}"', "ж", None),
        ("team = web \t\n", "web", True),
    ],
)
def test_accepts(text: str, value: str, *, accepted: bool | None) -> None:
    (matcher,) = parse(text)
    assert matcher.accepts(value) is accepted


def test_blanks_take_no_time() -> None:
    def work(count: int) -> Callable[[], object]:
        text = "a=" + " " * count + "'" + " " * count + '"x'

        def refused() -> None:
            with pytest.raises(MatcherError):
                parse(text)

        return refused

    assert growth(work, 1_000) < 2 * LINEAR


def test_many_labels_to_group_by_take_no_time() -> None:
    def work(count: int) -> Callable[[], object]:
        labels = ", ".join(f"l{number}" for number in range(count))
        text = f"route: {{receiver: a, group_by: [{labels}]}}\nreceivers: [{{name: a}}]"
        return lambda: load("a.yaml", text, Report())

    assert growth(work, 300) < 2 * LINEAR
