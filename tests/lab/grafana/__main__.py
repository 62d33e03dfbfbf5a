# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container's entry: `python3 -m tests.lab.grafana`."""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from tests.lab.grafana.app import create_app
from tests.lab.grafana.config import ConfigError, load
from tests.lab.grafana.provisioning import LOG, ProvisioningError


def main() -> int:
    """Serve until SIGTERM. Every address of the pod: Service and probes come from outside."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stdout)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # each back-end request would be a line
    try:
        config = load(os.environ)
        app = create_app(config)
    except (ConfigError, ProvisioningError) as error:
        print(f"Error: ✗ {error}", file=sys.stderr)
        return 1
    LOG.info("Grafana double: plays Grafana %s, is not Grafana; port %s", config.release.text, config.port)
    uvicorn.run(app, host="0.0.0.0", port=config.port, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
