# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options by which a module reaches a service."""

from __future__ import annotations


class ModuleDocFragment:
    PROMETHEUS = r"""
options:
  prometheus:
    description: How to reach Prometheus.
    type: dict
    default: {}
    suboptions:
      url:
        description:
          - Base URL. Without it the service is reached through the Kubernetes API, by a port-forward inside the module.
        type: str
      namespace:
        description: Namespace of the Kubernetes service.
        type: str
        default: ias-system
      service:
        description: Name of the Kubernetes service.
        type: str
        default: prometheus-kube-prometheus-prometheus
      port:
        description: Port of the Kubernetes service.
        type: int
        default: 9090
      token:
        description: Bearer token.
        type: str
      username:
        description: User name for basic authentication.
        type: str
      password:
        description: Password for basic authentication.
        type: str
      ca_file:
        description: File of trusted certificates, in place of the system's. Only with O(prometheus.url).
        type: path
      client_cert:
        description: Client certificate. Only with O(prometheus.url).
        type: path
      client_key:
        description: Key of O(prometheus.client_cert).
        type: path
      validate_certs:
        description: Whether to verify the server's certificate. Only with O(prometheus.url).
        type: bool
        default: true
"""

    LOKI = r"""
options:
  loki:
    description: How to reach Loki.
    type: dict
    default: {}
    suboptions:
      url:
        description:
          - Base URL. Without it the service is reached through the Kubernetes API, by a port-forward inside the module.
        type: str
      namespace:
        description: Namespace of the Kubernetes service.
        type: str
        default: ias-system
      service:
        description: Name of the Kubernetes service.
        type: str
        default: loki
      port:
        description: Port of the Kubernetes service.
        type: int
        default: 3100
      token:
        description: Bearer token.
        type: str
      username:
        description: User name for basic authentication.
        type: str
      password:
        description: Password for basic authentication.
        type: str
      ca_file:
        description: File of trusted certificates, in place of the system's. Only with O(loki.url).
        type: path
      client_cert:
        description: Client certificate. Only with O(loki.url).
        type: path
      client_key:
        description: Key of O(loki.client_cert).
        type: path
      validate_certs:
        description: Whether to verify the server's certificate. Only with O(loki.url).
        type: bool
        default: true
"""

    TEMPO = r"""
options:
  tempo:
    description: How to reach Tempo.
    type: dict
    default: {}
    suboptions:
      url:
        description:
          - Base URL. Without it the service is reached through the Kubernetes API, by a port-forward inside the module.
        type: str
      namespace:
        description: Namespace of the Kubernetes service.
        type: str
        default: ias-system
      service:
        description: Name of the Kubernetes service.
        type: str
        default: tempo
      port:
        description: Port of the Kubernetes service.
        type: int
        default: 3200
      token:
        description: Bearer token.
        type: str
      username:
        description: User name for basic authentication.
        type: str
      password:
        description: Password for basic authentication.
        type: str
      ca_file:
        description: File of trusted certificates, in place of the system's. Only with O(tempo.url).
        type: path
      client_cert:
        description: Client certificate. Only with O(tempo.url).
        type: path
      client_key:
        description: Key of O(tempo.client_cert).
        type: path
      validate_certs:
        description: Whether to verify the server's certificate. Only with O(tempo.url).
        type: bool
        default: true
"""

    GRAFANA = r"""
options:
  grafana:
    description: How to reach Grafana.
    type: dict
    default: {}
    suboptions:
      url:
        description:
          - Base URL. Without it the service is reached through the Kubernetes API, by a port-forward inside the module.
        type: str
      namespace:
        description: Namespace of the Kubernetes service.
        type: str
        default: ias-system
      service:
        description: Name of the Kubernetes service.
        type: str
        default: prometheus-grafana
      port:
        description: Port of the Kubernetes service.
        type: int
        default: 80
      token:
        description: Bearer token.
        type: str
      username:
        description: User name for basic authentication.
        type: str
      password:
        description: Password for basic authentication.
        type: str
      admin_secret:
        description:
          - Name of the Kubernetes Secret in O(grafana.namespace) that holds user name and password under C(admin-user)
            and C(admin-password), as Grafana's chart makes it. The module reads it itself; the password never passes
            through a play.
        type: str
      ca_file:
        description: File of trusted certificates, in place of the system's. Only with O(grafana.url).
        type: path
      client_cert:
        description: Client certificate. Only with O(grafana.url).
        type: path
      client_key:
        description: Key of O(grafana.client_cert).
        type: path
      validate_certs:
        description: Whether to verify the server's certificate. Only with O(grafana.url).
        type: bool
        default: true
"""

    ALERTMANAGER = r"""
options:
  alertmanager:
    description: How to reach Alertmanager.
    type: dict
    default: {}
    suboptions:
      url:
        description:
          - Base URL. Without it the service is reached through the Kubernetes API, by a port-forward inside the module.
        type: str
      namespace:
        description: Namespace of the Kubernetes service.
        type: str
        default: ias-system
      service:
        description: Name of the Kubernetes service.
        type: str
        default: prometheus-kube-prometheus-alertmanager
      port:
        description: Port of the Kubernetes service.
        type: int
        default: 9093
      token:
        description: Bearer token.
        type: str
      username:
        description: User name for basic authentication.
        type: str
      password:
        description: Password for basic authentication.
        type: str
      ca_file:
        description: File of trusted certificates, in place of the system's. Only with O(alertmanager.url).
        type: path
      client_cert:
        description: Client certificate. Only with O(alertmanager.url).
        type: path
      client_key:
        description: Key of O(alertmanager.client_cert).
        type: path
      validate_certs:
        description: Whether to verify the server's certificate. Only with O(alertmanager.url).
        type: bool
        default: true
"""

    WEBHOOK = r"""
options:
  webhook:
    description:
      - How to reach the webhook that the receiver sends to, if it can be asked what it got. A GET of C(/alerts) with a
        label as the query must answer the list of alerts that have it, each with C(receiver), C(status) and C(labels).
      - Without it nobody is asked, and the proof ends with what Alertmanager counts of its notifications.
    type: dict
    suboptions:
      url:
        description:
          - Base URL. Without it the service is reached through the Kubernetes API, by a port-forward inside the module.
        type: str
      namespace:
        description: Namespace of the Kubernetes service.
        type: str
        default: ias-system
      service:
        description: Name of the Kubernetes service.
        type: str
        default: alert-receiver
      port:
        description: Port of the Kubernetes service.
        type: int
        default: 8080
      token:
        description: Bearer token.
        type: str
      username:
        description: User name for basic authentication.
        type: str
      password:
        description: Password for basic authentication.
        type: str
      ca_file:
        description: File of trusted certificates, in place of the system's. Only with O(webhook.url).
        type: path
      client_cert:
        description: Client certificate. Only with O(webhook.url).
        type: path
      client_key:
        description: Key of O(webhook.client_cert).
        type: path
      validate_certs:
        description: Whether to verify the server's certificate. Only with O(webhook.url).
        type: bool
        default: true
"""
