# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The helm program: what a chart would render, and the one call that changes a cluster.

No secret is given to a file with a name, so none is left behind however a run ends: values go through standard input,
and the kubeconfig is a file that was never linked into a folder.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .. import _kube, _programs
from .._kube.errors import KubeError
from .masking import masked

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from kubernetes.client import ApiClient

    from .history import Revision

MINIMUM = 4
TIMEOUT_SECONDS = 300
TAKE_OVER = ("--server-side=true", "--force-conflicts")
"""What the chart states wins over a change that somebody made by hand; without it Helm refuses the whole upgrade."""
# What a user's shell may hold and a kubeconfig does not override; empty is as good as unset.
OVERRIDES = ("HELM_KUBECONTEXT", "HELM_KUBEAPISERVER", "HELM_KUBETOKEN", "HELM_NAMESPACE", "HELM_DEBUG")


class HelmError(KubeError):
    """Helm is missing, too old, or refused what it was asked."""


class Chart(NamedTuple):
    """Where a chart comes from: an OCI reference, a name in a repository, or a folder or archive."""

    ref: str
    version: str | None = None
    repository: str | None = None

    @property
    def arguments(self) -> list[str]:
        options = {"--repo": self.repository, "--version": self.version}
        return [self.ref, *(word for option, value in options.items() if value for word in (option, value))]


def find(module: AnsibleModule, binary: str | None) -> str:
    """The helm to run: the one given, or the first on PATH; at least Helm 4."""
    path = shutil.which(binary or "helm")
    if path is None:
        raise HelmError(
            f"Helm is missing: {binary or 'helm'} is not a program on this host",
            f"Install Helm >= {MINIMUM} or set helm_binary to its path",
        )
    version = _run(module, [path, "version", "--short"])
    found = re.match(r"v(\d+)\.", version)
    if not found or int(found[1]) < MINIMUM:
        raise HelmError(
            f"Helm at {path} is {version.strip() or 'of an unknown version'}", f"Helm >= {MINIMUM} is required"
        )
    return path


def pull(module: AnsibleModule, chart: Chart, folder: Path) -> Path:
    """The chart's archive, fetched into the folder with the user's own registry login."""
    binary = find(module, module.params["helm_binary"])
    _run(module, [binary, "pull", *chart.arguments, "--destination", str(folder)])
    fetched = sorted(folder.glob("*.tgz"))
    if not fetched:
        raise HelmError(f"helm pull {chart.ref} left no archive", "Is it a chart?")
    return fetched[0]


class Helm:
    """Helm as the same user of the same cluster as `client`."""

    def __init__(self, module: AnsibleModule, client: ApiClient) -> None:
        self._module = module
        self._binary = find(module, module.params["helm_binary"])
        self._kubeconfig = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open until Helm has ended
        json.dump(_kubeconfig(client), self._kubeconfig)
        self._kubeconfig.flush()
        self._environment = {
            **dict.fromkeys(OVERRIDES, ""),
            **_impersonation(client),
            "KUBECONFIG": f"/dev/fd/{self._kubeconfig.fileno()}",
        }

    def __enter__(self) -> Helm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kubeconfig.close()

    def apply(self, name: str, namespace: str, chart: Chart, values: Mapping[str, Any], *, timeout: int) -> None:
        """Install or upgrade the release; each hook may take `timeout` seconds, and Helm as a whole a minute more."""
        options = [
            "--install",
            "--create-namespace",
            "--reset-values",
            "--skip-crds",
            *TAKE_OVER,
            "--timeout",
            f"{timeout}s",
        ]
        self._with_values(["upgrade", name], namespace, chart, values, options, seconds=timeout + 60)

    def rollback(self, target: Revision, *, timeout: int) -> None:
        """Apply a revision again, as a new one; the `timeout` is that of `apply`."""
        arguments = ["rollback", target.body["name"], str(target.number), "--namespace", target.body["namespace"]]
        self._masked([*arguments, *TAKE_OVER, "--timeout", f"{timeout}s"], target.values, seconds=timeout + 60)

    def upgraded(
        self, name: str, namespace: str, chart: Chart, values: Mapping[str, Any], *, checked: bool = False
    ) -> dict[str, Any]:
        """The release as an upgrade would make it, rendered with what the live cluster offers.

        `checked` against the API's schemas as well, which takes Helm three times as long.
        """
        options = ["--dry-run=server", "--skip-crds", "--output", "json"]
        if not checked:
            options.append("--disable-openapi-validation")
        answer = self._with_values(["upgrade", name], namespace, chart, values, options)
        # Helm reports what it pulled from a registry on stdout too, ahead of the answer.
        return cast("dict[str, Any]", json.loads(answer[max(answer.find("{"), 0) :]))

    def rendered(self, name: str, namespace: str, chart: Chart, values: Mapping[str, Any]) -> str:
        """The manifest of a first install. It asks the cluster nothing: custom resources may still be unknown there."""
        return self._with_values(["template", name], namespace, chart, values, ["--skip-crds", "--no-hooks"])

    def crds(self, chart: Chart) -> str:
        """The custom resource definitions that the chart and its sub-charts bring, as YAML."""
        return self._run(["show", "crds", *chart.arguments])

    def _with_values(
        self,
        command: list[str],
        namespace: str,
        chart: Chart,
        values: Mapping[str, Any],
        options: list[str],
        *,
        seconds: float | None = None,
    ) -> str:
        """JSON, which Helm's reader of YAML cannot take for something else."""
        arguments = [*command, *chart.arguments, "--namespace", namespace, "--values", "-", *options]
        return self._masked(arguments, values, seconds=seconds, data=json.dumps(values))

    def _masked(self, arguments: list[str], values: Mapping[str, Any], **options: Any) -> str:
        """Run Helm; an error shows none of the values."""
        try:
            return self._run(arguments, **options)
        except HelmError as error:
            public = frozenset((*arguments, self._binary))
            raise HelmError(masked(error.message, values, public), error.hint) from None

    def _run(self, arguments: list[str], seconds: float | None = None, data: str | None = None) -> str:
        kubeconfig = self._kubeconfig.fileno()
        command = [self._binary, *arguments]
        return _run(self._module, command, seconds, environ_update=self._environment, pass_fds=(kubeconfig,), data=data)


def _run(module: AnsibleModule, command: list[str], seconds: float | None = None, **options: Any) -> str:
    seconds = seconds or TIMEOUT_SECONDS
    try:
        code, stdout, stderr = _programs.run(module, command, seconds, expand_user_and_vars=False, **options)
    except OSError as error:
        raise HelmError(f"{command[0]} cannot be run: {error.strerror}", "Set helm_binary to a working Helm") from error
    except _programs.TimeoutExpired as error:
        raise HelmError(
            f"helm {command[1]} did not end within {seconds:g} s", "Is the chart's registry reachable?"
        ) from error
    if code != 0:
        what = " ".join(command[1:3]) if command[1] == "show" else " ".join(command[1:4])
        raise HelmError(f"helm {what} failed: {_reason(stderr)}")
    return stdout


def _reason(stderr: str) -> str:
    lines = [line for line in stderr.strip().splitlines() if line.strip() and not line.startswith("level=WARN")]
    return " ".join(" ".join(lines[-8:]).removeprefix("Error: ").split()) or "it gave no reason"


def _kubeconfig(client: ApiClient) -> dict[str, Any]:
    """One cluster, one user: those that `client` resolved, so that Helm cannot end up elsewhere."""
    config = client.configuration
    cluster = {
        "server": config.host,
        "certificate-authority": config.ssl_ca_cert,
        "certificate-authority-data": _base64(getattr(config, "ca_cert_data", None)),
        "insecure-skip-tls-verify": not config.verify_ssl or None,
        "tls-server-name": config.tls_server_name,
        "proxy-url": config.proxy,
    }
    token = _kube.authorization(client).get("authorization", "")
    user = {
        "client-certificate": config.cert_file,
        "client-key": config.key_file,
        "token": token.removeprefix("Bearer ") if token.startswith("Bearer ") else None,
    }
    if cluster["insecure-skip-tls-verify"]:
        cluster |= {"certificate-authority": None, "certificate-authority-data": None}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "clusters": [{"name": "main", "cluster": _given(cluster)}],
        "users": [{"name": "main", "user": _given(user)}],
        "contexts": [{"name": "main", "context": {"cluster": "main", "user": "main"}}],
    }


def _impersonation(client: ApiClient) -> dict[str, str]:
    headers = client.default_headers
    names = {"HELM_KUBEASUSER": "Impersonate-User", "HELM_KUBEASGROUPS": "Impersonate-Group"}
    return {variable: headers[header] for variable, header in names.items() if header in headers}


def _given(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value is not None}


def _base64(data: str | bytes | None) -> str | None:
    if data is None:
        return None
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()
