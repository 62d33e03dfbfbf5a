{{- define "alloy.selector" -}}
app.kubernetes.io/name: alloy
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "alloy.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{ include "alloy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: alloy
{{- end }}

{{- define "alloy.image" -}}
{{- $image := .image -}}
{{ $image.registry }}/{{ $image.repository }}:{{ $image.tag | default .version }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}
