# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs for those who change the collection."""

import sys
from pathlib import Path

# The collection's own parsers and checks, from the checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collections"))
