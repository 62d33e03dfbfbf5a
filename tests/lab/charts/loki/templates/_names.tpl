{{- define "loki.selector" -}}
app.kubernetes.io/name: loki
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "loki.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "loki.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "loki.image" -}}
{{- with .Values.loki.image -}}
{{ .registry }}/{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "loki.config" -}}
auth_enabled: {{ .Values.loki.auth_enabled }}
server:
  http_listen_port: 3100
  grpc_listen_port: 9095
common:
  {{- $common := omit .Values.loki.commonConfig "storage" }}
  {{- toYaml $common | nindent 2 }}
  storage:
    {{- if eq .Values.loki.storage.type "s3" }}
    {{- with .Values.loki.storage }}
    object_store:
      s3:
        {{- toYaml (mergeOverwrite (deepCopy .object_store.s3) (dict "bucket_name" .bucketNames.chunks)) | nindent 8 }}
    {{- end }}
storage_config: {use_thanos_objstore: true}
    {{- else }}
    filesystem:
      chunks_directory: /var/loki/chunks
      rules_directory: /var/loki/rules
    {{- end }}
memberlist:
  join_members: [{{ .Release.Name }}-memberlist.{{ .Release.Namespace }}.svc.cluster.local]
runtime_config:
  file: /etc/loki/runtime-config/runtime-config.yaml
schema_config:
  {{- toYaml .Values.loki.schemaConfig | nindent 2 }}
limits_config:
  {{- toYaml .Values.loki.limits_config | nindent 2 }}
compactor:
  {{- toYaml .Values.loki.compactor | nindent 2 }}
pattern_ingester:
  {{- toYaml .Values.loki.pattern_ingester | nindent 2 }}
analytics:
  {{- toYaml .Values.loki.analytics | nindent 2 }}
{{- end }}
