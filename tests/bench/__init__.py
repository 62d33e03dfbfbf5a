# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks: ours against a peer, in the same run on the same machine."""

import sys
from pathlib import Path

# What is measured is the checkout's own, also where nothing has put it on the path: `make bench`.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))
