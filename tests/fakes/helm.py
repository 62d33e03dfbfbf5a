# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A helm in a file: answers what a test prepared, notes how it was called, refuses what the real one refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """#!{python} -IS
import json, os, sys
home = {home!r}
answers = json.load(open(home + "/answers.json"))
arguments = sys.argv[1:]
files = {{}}
if "KUBECONFIG" in os.environ:
    path = os.environ["KUBECONFIG"]
    files["KUBECONFIG"] = {{"content": json.load(open(path)), "links": os.stat(path).st_nlink}}
if "--values" in arguments:
    files["--values"] = json.load(sys.stdin)
with open(home + "/calls.jsonl", "a") as log:
    log.write(json.dumps({{"arguments": arguments, "files": files}}) + "\\n")
if arguments[0] == "version":
    sys.exit(print(answers["version"]))
if arguments[0] in ("upgrade", "template") and "--namespace" not in arguments:
    sys.exit("Error: no namespace")
if "://" in " ".join(arguments) and "--version" not in arguments:
    sys.exit("Error: a registry reference needs a version")
found = answers.get(" ".join(arguments[:2])) or answers.get(arguments[0])
if found is None:
    sys.exit("Error: unknown command " + " ".join(arguments[:2]))
if "error" in found:
    sys.exit("level=WARN msg=noise\\nError: " + found["error"])
print(found["output"])
"""


class FakeHelm:
    """`answers` by command: {"upgrade": {"output": ...}}, {"show crds": {"error": ...}}."""

    def __init__(self, home: Path, version: str = "v4.3.1") -> None:
        self.home = home
        self.answers: dict[str, Any] = {"version": version}
        self.binary = home / "helm"
        self.binary.write_text(SCRIPT.format(python=sys.executable, home=str(home)))
        self.binary.chmod(0o755)
        self.save()

    def answer(self, command: str, output: Any = None, error: str = "") -> None:
        text = output if isinstance(output, str) else json.dumps(output)
        self.answers[command] = {"error": error} if error else {"output": text}
        self.save()

    def save(self) -> None:
        (self.home / "answers.json").write_text(json.dumps(self.answers))

    def calls(self) -> list[dict[str, Any]]:
        """Every call but the question for the version."""
        log = self.home / "calls.jsonl"
        found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [call for call in found if call["arguments"][0] != "version"]
