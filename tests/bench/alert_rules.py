# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""alert_rules_validate against `promtool check rules`, on the same published rule files, in one run.

    python tests/bench/alert_rules.py [--promtool PATH] [--shared PATH] [--rounds N]

Whole processes, as Ansible starts the module: interpreter, imports, reading, every lint, JSON out. The two take
turns, and the fastest round of each counts, so that a busy machine does not favour one of them. Prints JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULE = "ansible_collections.ias.observability.plugins.modules.alert_rules_validate"
GOAL = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promtool", default=shutil.which("promtool") or str(ROOT / ".lab/bin/promtool"))
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("IAS_SHARED") or ROOT.parent / "shared"))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_rule_files(options.shared / "corpus" / "rulefiles.jsonl.gz", folder)
        ours = [sys.executable, "-m", MODULE]
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"paths": [name], "_ansible_remote_tmp": name}})
        theirs = [options.promtool, "check", "rules", "--lint=all", *map(str, files)]
        rounds = [(seconds(ours, arguments), seconds(theirs, "")) for _ in range(options.rounds)]
    module, promtool = (min(times) for times in zip(*rounds, strict=True))
    print(
        json.dumps(
            {
                "files": len(files),
                "module_seconds": round(module, 3),
                "promtool_seconds": round(promtool, 3),
                "ratio": round(module / promtool, 2),
                "goal": GOAL,
                "module_memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10,
            }
        )
    )


def write_rule_files(corpus: Path, folder: Path) -> list[Path]:
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    files = [folder / f"{number:03}.yaml" for number in range(len(rows))]
    for file, row in zip(files, rows, strict=True):
        file.write_text(yaml.safe_dump({"groups": row["groups"]}, sort_keys=False), encoding="utf-8")
    return files


def seconds(command: list[str], text: str) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    start = time.perf_counter()
    # both exit with an error status on some of these files; what counts is that they have read them all
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)
    spent = time.perf_counter() - start
    if not done.stdout:
        raise SystemExit(f"{command[0]}: {done.stderr[-500:]}")
    return spent


if __name__ == "__main__":
    main()
