"""JupyterHub: its configuration, the same on one machine and on Kubernetes, and its API."""
