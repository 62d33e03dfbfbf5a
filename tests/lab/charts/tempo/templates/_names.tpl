{{- define "tempo.selector" -}}
app.kubernetes.io/name: tempo
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tempo.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "tempo.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tempo.config" -}}
{{- $tempo := .Values.tempo -}}
usage_report:
  reporting_enabled: {{ $tempo.reportingEnabled }}
server:
  http_listen_port: {{ $tempo.server.http_listen_port }}
compactor:
  compaction:
    block_retention: {{ $tempo.retention }}
distributor:
  receivers:
    {{- range $protocol, $receiver := $tempo.receivers }}
    {{- $on := dict }}
    {{- range $name, $settings := $receiver.protocols }}
    {{- if $settings }}{{ $_ := set $on $name $settings }}{{ end }}
    {{- end }}
    {{- if $on }}
    {{ $protocol }}:
      protocols:
        {{- toYaml $on | nindent 8 }}
    {{- end }}
    {{- end }}
{{- if $tempo.metricsGenerator.enabled }}
metrics_generator:
  storage:
    {{- toYaml $tempo.metricsGenerator.storage | nindent 4 }}
  traces_storage:
    {{- toYaml $tempo.metricsGenerator.traces_storage | nindent 4 }}
  processor:
    {{- toYaml $tempo.metricsGenerator.processor | nindent 4 }}
  registry:
    {{- toYaml $tempo.metricsGenerator.registry | nindent 4 }}
{{- end }}
overrides:
  {{- toYaml $tempo.overrides | nindent 2 }}
storage:
  {{- toYaml $tempo.storage | nindent 2 }}
{{- end }}
