"""JupyterHub with Dask clusters, on one machine or on Kubernetes.

Users log in (`login`), start a server with JupyterLab (`hub`; what runs in it is in `server`), and
make Dask clusters of their own (`gateway`). `machine` runs all of it on one machine, `kubernetes`
configures it for the Helm chart. `settings` holds what an administrator chooses for both.
"""
