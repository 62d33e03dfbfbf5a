# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit XML, for CI systems."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from .proofs import Proof, one_line


def junit(proofs: Sequence[Proof]) -> str:
    """One test case for each proof."""
    failures = sum(not proof.ok for proof in proofs)
    suite = Xml.Element(
        "testsuite", name="ias.observability.verify", tests=str(len(proofs)), failures=str(failures), errors="0"
    )
    for proof in proofs:
        case = Xml.SubElement(suite, "testcase", classname="ias.observability.verify", name=proof.name)
        case.set("time", f"{proof.seconds:.1f}")
        if proof.errors:
            failure = Xml.SubElement(case, "failure", message=f"{proof.title}: {len(proof.errors)} errors")
            failure.text = "\n".join(map(one_line, proof.errors))
        Xml.SubElement(case, "system-out").text = f"{proof.passed}/{proof.checked} {proof.facts}".rstrip()
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
