# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs say can be shown, logged and written, and gives no secret away."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ias.observability.plugins.module_utils._printable import printable, printable_tree


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcödé, 日本, 🦊", "plain text, ünïcödé, 日本, 🦊"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m\x07", r"\x1b[31mred\x1b[0m\x07"),
        ("a\rb\x00c\x9b2J", r"a\rb\x00c\x9b2J"),
        ("name-\udcff.yaml \ud83e", r"name-\udcff.yaml \ud83e"),
        ("left\u202eright \ufffe", r"left\u202eright \ufffe"),
        ("http://:pw@host/x", "http://***@host/x"),
        ("cannot get postgres://me:p@ss@db:5432/x, giving up", "cannot get postgres://***@db:5432/x, giving up"),
        ("https://h/x?a=1&api_key=s3cret&b=2#f", "https://h/x?a=1&api_key=***&b=2#f"),
        ('https://h/?access_token=x.y-z"', 'https://h/?access_token=***"'),
        ("https://h/?X-Amz-Signature=abc", "https://h/?X-Amz-Signature=***"),
        ("https://h/?PASSWORD=abc", "https://h/?PASSWORD=***"),
        ("https://h/mail@example.org", "https://h/mail@example.org"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"authorization": "Basic bWU6cHc="}', '{"authorization": "Basic ***"}'),
        ('sum by (key) (rate(x{token="a"}[5m]))', 'sum by (key) (rate(x{token="a"}[5m]))'),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_every_text_can_be_written(text: str) -> None:
    shown = printable(text)
    shown.encode()
    element = Xml.Element("x")
    element.text = shown
    Xml.fromstring(Xml.tostring(element))


def test_a_tree() -> None:
    tree = {"a\x1b": ["\x00", ("b", 1, None, True, 2.5)]}
    assert printable_tree(tree) == {r"a\x1b": [r"\x00", ["b", 1, None, True, 2.5]]}
