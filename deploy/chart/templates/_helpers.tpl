{{- define "facility.labels" -}}
app.kubernetes.io/part-of: flavorframe
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "facility.pods" -}}
{{- $volumes := list }}
{{- $mounts := list }}
{{- $environment := dict }}
{{- if .Values.cvmfs.enabled }}
{{- $volumes = append $volumes (dict "name" "cvmfs" "persistentVolumeClaim" (dict "claimName" "cvmfs" "readOnly" true)) }}
{{- $mounts = append $mounts (dict "name" "cvmfs" "mountPath" "/cvmfs" "readOnly" true "mountPropagation" "HostToContainer") }}
{{- end }}
{{- with .Values.certificates.config_map }}
{{- $volumes = append $volumes (dict "name" "certificates" "configMap" (dict "name" .)) }}
{{- $mounts = append $mounts (dict "name" "certificates" "mountPath" "/etc/grid-security/certificates" "readOnly" true) }}
{{- $_ := set $environment "X509_CERT_DIR" "/etc/grid-security/certificates" }}
{{- end }}
{{- with .Values.certificates.path }}
{{- $_ := set $environment "X509_CERT_DIR" . }}
{{- end }}
{{- dict "volumes" $volumes "mounts" $mounts "environment" $environment | toJson }}
{{- end }}

{{- define "facility.settings" -}}
{{- $own := dict "folder" "/srv/jupyterhub/flavorframe" "backend" "kubernetes" }}
{{- $settings := merge $own (deepCopy .Values.facility) }}
{{- if eq $settings.login.kind "oidc" }}
{{- $_ := set $settings.login "client_secret_file" "/etc/flavorframe/oidc/client-secret" }}
{{- end }}
{{- $settings | toJson }}
{{- end }}
