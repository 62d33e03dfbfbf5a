# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings, read the way Grafana reads them: grafana.ini, overridden by GF_<SECTION>_<KEY>."""

from __future__ import annotations

import re
from collections.abc import Mapping
from configparser import Error as IniError
from configparser import RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.grafana.auth import Role
from tests.lab.grafana.release import Release

DEFAULT_VERSION = "13.2.0"
INI = "/etc/grafana/grafana.ini"


class ConfigError(Exception):
    """The double cannot start: one line that says why."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the double is started with."""

    release: Release = field(default_factory=lambda: Release.parse(DEFAULT_VERSION))
    port: int = 3000
    data: Path | None = None  # None: in memory
    provisioning: Path | None = None
    admin_user: str = "admin"
    admin_password: str = "admin"
    anonymous: Role | None = None
    hide_version: bool = False
    lock_logins: bool = True
    login_attempts: int = 5
    min_refresh: str = "5s"
    env: Mapping[str, str] = field(default_factory=dict)  # for $VAR in provisioning files


def load(env: Mapping[str, str]) -> Config:
    """The settings of a container: everything that the chart mounts and sets."""
    setting = _Settings(Path(env.get("GF_PATHS_CONFIG", INI)), env)
    try:
        release = Release.parse(env.get("GRAFANA_DOUBLE_VERSION", DEFAULT_VERSION))
        anonymous = Role[setting("auth.anonymous", "org_role", "Viewer").upper()]
        port = int(setting("server", "http_port", "3000"))
        attempts = int(setting("security", "brute_force_login_protection_max_attempts", "5"))
    except (ValueError, KeyError) as error:
        raise ConfigError(f"invalid setting: {error}") from error
    return Config(
        release=release,
        port=port,
        data=Path(setting("paths", "data", "/var/lib/grafana")),
        provisioning=Path(setting("paths", "provisioning", "/etc/grafana/provisioning")),
        admin_user=setting("security", "admin_user", "admin"),
        admin_password=setting("security", "admin_password", "admin"),
        anonymous=anonymous if setting.on("auth.anonymous", "enabled") else None,
        hide_version=setting.on("auth.anonymous", "hide_version"),
        lock_logins=not setting.on("security", "disable_brute_force_login_protection"),
        login_attempts=attempts,
        min_refresh=setting("dashboards", "min_refresh_interval", "5s"),
        env=env,
    )


class _Settings:
    """One lookup for both sources. A missing file means defaults, as for Grafana with cfg:default.paths."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._env = env
        self._ini = RawConfigParser(strict=False, default_section="", inline_comment_prefixes=None)
        if not path.is_file():
            return
        try:
            # keys above the first section are legal for Grafana
            self._ini.read_string("[grafana]\n" + path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, IniError) as error:
            raise ConfigError(f"{path}: {str(error).splitlines()[0]}") from error

    def __call__(self, section: str, key: str, default: str) -> str:
        name = re.sub(r"[.-]", "_", f"GF_{section}_{key}").upper()
        value = self._env.get(name) or self._ini.get(section, key, fallback=None) or ""
        value = value.strip().strip("`\"'")
        return expand(value, self._env) or default

    def on(self, section: str, key: str) -> bool:
        return self(section, key, "false").lower() in ("true", "1", "yes", "on")


def expand(value: str, env: Mapping[str, str]) -> str:
    """Grafana's $__env{NAME} and $__file{path}."""

    def replace(match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        if kind == "env":
            return env.get(name, "")
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"$__file{{{name}}}: {error.strerror}") from error

    return re.sub(r"\$__(env|file)\{([^}]*)\}", replace, value)
