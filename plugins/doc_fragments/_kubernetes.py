# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which a module reaches the Kubernetes API: those of the modules of kubernetes.core."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  host:
    description:
      - URL of the Kubernetes API.
      - The environment variable E(K8S_AUTH_HOST) is used where the option is not set.
    type: str
  api_key:
    description:
      - Token for the Kubernetes API.
      - The environment variable E(K8S_AUTH_API_KEY) is used where the option is not set.
    type: str
  kubeconfig:
    description:
      - Path of a kubeconfig, several paths separated by V(:), or the configuration itself as a dictionary.
      - Without it, and without other options for the connection, C(~/.kube/config) is read.
      - The environment variable E(K8S_AUTH_KUBECONFIG) is used where the option is not set.
    type: raw
  context:
    description:
      - Name of a context in the kubeconfig.
      - The environment variable E(K8S_AUTH_CONTEXT) is used where the option is not set.
    type: str
  username:
    description:
      - User name for basic authentication, for clusters that still have it.
      - The environment variable E(K8S_AUTH_USERNAME) is used where the option is not set.
    type: str
  password:
    description:
      - Password for O(username).
      - The environment variable E(K8S_AUTH_PASSWORD) is used where the option is not set.
    type: str
  client_cert:
    description:
      - Path of a client certificate.
      - The environment variable E(K8S_AUTH_CERT_FILE) is used where the option is not set.
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the key of O(client_cert).
      - The environment variable E(K8S_AUTH_KEY_FILE) is used where the option is not set.
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the certificates that sign the API server's, the full chain.
      - The environment variable E(K8S_AUTH_SSL_CA_CERT) is used where the option is not set.
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether the API server's certificate is verified.
      - The environment variable E(K8S_AUTH_VERIFY_SSL) is used where the option is not set.
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP proxy for the connection. E(HTTP_PROXY) is not read.
      - The environment variable E(K8S_AUTH_PROXY) is used where the option is not set.
    type: str
  no_proxy:
    description:
      - Hosts, domains and networks that are reached without O(proxy), separated by commas. E(NO_PROXY) is not read.
      - The environment variable E(K8S_AUTH_NO_PROXY) is used where the option is not set.
    type: str
  proxy_headers:
    description:
      - Headers for the HTTP proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User name and password for the proxy, separated by a colon.
          - The environment variable E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) is used where the option is not set.
        type: str
      basic_auth:
        description:
          - User name and password for the header C(Authorization), separated by a colon.
          - The environment variable E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH) is used where the option is not set.
        type: str
      user_agent:
        description:
          - The header C(User-Agent), for example V(site/1.0).
          - The environment variable E(K8S_AUTH_PROXY_HEADERS_USER_AGENT) is used where the option is not set.
        type: str
  persist_config:
    description:
      - Whether refreshed tokens are written back into the kubeconfig.
      - The environment variable E(K8S_AUTH_PERSIST_CONFIG) is used where the option is not set.
    type: bool
  impersonate_user:
    description:
      - User to act as.
      - The environment variable E(K8S_AUTH_IMPERSONATE_USER) is used where the option is not set.
    type: str
  impersonate_groups:
    description:
      - Groups to act as.
      - The environment variable E(K8S_AUTH_IMPERSONATE_GROUPS) is used where the option is not set.
      - Several are separated by commas in the environment variable.
    type: list
    elements: str
"""
