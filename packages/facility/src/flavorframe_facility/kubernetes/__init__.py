"""The facility on Kubernetes: what the Helm chart calls in the pods of hub and gateway."""
