{{- define "mimir.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/name: mimir
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- /* of one program: (dict "root" $ "name" name) */}}
{{- define "mimir.selector" -}}
app.kubernetes.io/name: mimir
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "mimir.programLabels" -}}
{{ include "mimir.labels" .root }}
app.kubernetes.io/component: {{ .name }}
{{- if .program.memberlist }}
app.kubernetes.io/part-of: memberlist
{{- end }}
{{- end }}

{{- /* What the programs have of their own: the key of their values is the name with _ for -. */}}
{{- define "mimir.programs" -}}
distributor: {memberlist: true, headless: true}
querier: {memberlist: true}
query-frontend: {}
query-scheduler: {headless: true}
ingester: {memberlist: true, headless: true, stateful: true, args: [-ingester.ring.instance-availability-zone=zone-default]}
store-gateway: {memberlist: true, headless: true, stateful: true}
compactor: {memberlist: true, stateful: true}
{{- end }}

{{- define "mimir.config" -}}
{{- $scheduler := printf "%s-query-scheduler-headless.%s.svc:9095" .Release.Name .Release.Namespace }}
{{- $base := fromYaml (include "mimir.baseConfig" (dict "root" . "scheduler" $scheduler)) }}
{{- toYaml (mergeOverwrite $base (deepCopy .Values.mimir.structuredConfig)) }}
{{- end }}

{{- define "mimir.baseConfig" -}}
activity_tracker: {filepath: /active-query-tracker/activity.log}
blocks_storage:
  backend: s3
  bucket_store: {sync_dir: /data/tsdb-sync}
  tsdb: {dir: /data/tsdb, head_compaction_interval: 15m, wal_replay_concurrency: 3}
compactor:
  data_dir: /data
  compaction_interval: 30m
  first_level_compaction_wait_period: 25m
  max_closing_blocks_concurrency: 2
  max_opening_blocks_concurrency: 4
  symbols_flushers_concurrency: 4
  deletion_delay: 2h
  sharding_ring: {heartbeat_period: 1m, heartbeat_timeout: 4m, wait_stability_min_duration: 1m}
distributor:
  remote_timeout: 5s
  ring: {heartbeat_period: 1m, heartbeat_timeout: 4m}
frontend: {parallelize_shardable_queries: true, scheduler_address: {{ .scheduler }}}
frontend_worker: {scheduler_address: {{ .scheduler }}, grpc_client_config: {max_send_msg_size: 419430400}}
ingest_storage: {enabled: true}
ingester:
  push_grpc_method_enabled: false
  ring: {final_sleep: 0s, num_tokens: 512, tokens_file_path: /data/tokens, unregister_on_shutdown: false, heartbeat_period: 2m, heartbeat_timeout: 10m}
ingester_client: {grpc_client_config: {max_recv_msg_size: 104857600, max_send_msg_size: 104857600}}
querier: {max_concurrent: 8}
query_scheduler: {max_outstanding_requests_per_tenant: 800}
limits: {max_total_query_length: 12000h, max_query_parallelism: 240, max_cache_freshness: 10m}
memberlist:
  abort_if_cluster_join_fails: false
  compression_enabled: false
  join_members: [dns+{{ .root.Release.Name }}-gossip-ring.{{ .root.Release.Namespace }}.svc.cluster.local.:7946]
runtime_config: {file: /var/mimir/runtime.yaml}
store_gateway:
  sharding_ring: {tokens_file_path: /data/tokens, unregister_on_shutdown: false, heartbeat_period: 1m, heartbeat_timeout: 10m, wait_stability_min_duration: 1m}
{{- end }}
