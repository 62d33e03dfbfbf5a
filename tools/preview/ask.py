# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.preview.ask FOLDER`: ask Grafana what every dashboard's panels ask, over the last hour.

Grafana is reached through the cluster of $KUBECONFIG, or at $GRAFANA_URL as $GRAFANA_USER with $GRAFANA_PASSWORD.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.ias.observability.plugins.module_utils._grafana.client import Grafana
from ansible_collections.ias.observability.plugins.module_utils._grafana_model.panels import read_panels
from ansible_collections.ias.observability.plugins.module_utils._kube import AUTH_ARGS, Cluster, connect
from ansible_collections.ias.observability.plugins.module_utils._service import GRAFANA, open_service
from ansible_collections.ias.observability.plugins.module_utils._verify.dashboards import resolve

NAMESPACE = "ias-system"
ADMIN = "prometheus-grafana"  # the secret with Grafana's user and password
DASHBOARDS = Path(__file__).resolve().parents[2] / "contracts" / "dashboards"

Object = dict[str, Any]


@contextmanager
def grafana() -> Iterator[Grafana]:
    options: Object = {name: spec.get("default") for name, spec in GRAFANA["options"].items()}
    params: Object = dict.fromkeys(AUTH_ARGS)
    if url := os.environ.get("GRAFANA_URL"):
        user, password = os.environ.get("GRAFANA_USER", "admin"), os.environ.get("GRAFANA_PASSWORD", "")
        options |= {"url": url}
    else:
        params["kubeconfig"] = os.environ.get("KUBECONFIG")
        secret = Cluster(connect(params)).get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{ADMIN}")["data"]
        user, password = (base64.b64decode(secret[f"admin-{part}"]).decode() for part in ("user", "password"))
    with open_service({**params, "grafana": options | {"username": user, "password": password}}, "grafana") as api:
        yield Grafana(api)


def answers(asked: Grafana, model: Object) -> Object:
    """The dashboard's model, and each panel's results by its id."""
    sources = asked.datasources()
    chosen, findings = resolve(asked, sources, model["title"], model["templating"]["list"])
    panels = read_panels(model["title"], model, sources, chosen)
    results = {str(panel.id): asked.query(panel.queries, start="now-1h", end="now") for panel in panels}
    return {"model": model, "results": results, "problems": [str(finding) for finding in findings]}


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with grafana() as asked:
        for path in sorted(DASHBOARDS.glob("*.json")):
            model = json.loads(path.read_text())
            (folder / f"{model['uid']}.json").write_text(json.dumps(answers(asked, model)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
