{{- define "kps.name" -}}
{{ .Release.Name }}-kube-prometheus
{{- end }}

{{- /* Labels of one part of the stack: (dict "root" $ "part" "prometheus") */}}
{{- define "kps.labels" -}}
app: kube-prometheus-stack-{{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: kube-prometheus-stack
app.kubernetes.io/version: {{ .root.Chart.Version | quote }}
chart: kube-prometheus-stack-{{ .root.Chart.Version }}
heritage: {{ .root.Release.Service }}
release: {{ .root.Release.Name }}
{{- end }}

{{- /* Labels of a part that is a program: with its own name and component */}}
{{- define "kps.programLabels" -}}
{{ include "kps.labels" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/name: kube-prometheus-stack-{{ .component }}
{{- end }}

{{- /* Labels of what the real chart takes from another chart: (dict "root" $ "name" "grafana" "version" "13.2.0") */}}
{{- define "kps.subchartSelector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "kps.exporterLabels" -}}
{{ include "kps.subchartSelector" . }}
app.kubernetes.io/component: metrics
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: {{ .name }}
app.kubernetes.io/version: {{ .version | quote }}
release: {{ .root.Release.Name }}
{{- end }}

{{- define "kps.grafanaLabels" -}}
{{ include "kps.subchartSelector" (dict "root" . "name" "grafana") }}
app.kubernetes.io/version: {{ .Values.grafana.image.tag | quote }}
{{- end }}

{{- /* (dict "image" $image "tag" "used when the image has none") */}}
{{- define "kps.image" -}}
{{- with .image -}}
{{ .registry }}/{{ .repository }}:{{ .tag | default $.tag }}{{ with .sha | default .digest }}@sha256:{{ trimPrefix "sha256:" . }}{{ end }}
{{- end }}
{{- end }}

{{- /* A service account's right to a role of the same name: (dict "root" $ "name" … "labels" …), and where they differ
       "binding" and "account"; "kind" is ClusterRole unless it says Role */}}
{{- define "kps.binding" -}}
{{- $kind := .kind | default "ClusterRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .binding | default .name }}
  {{- if eq $kind "Role" }}
  namespace: {{ .root.Release.Namespace }}
  {{- end }}
  labels:
    {{- .labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ .name }}}
subjects:
  - {kind: ServiceAccount, name: {{ .account | default .name }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}

{{- define "kps.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- .labels | nindent 4 }}
{{- end }}
