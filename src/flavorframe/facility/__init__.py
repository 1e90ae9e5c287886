"""The facility: JupyterHub with Dask clusters, on one machine or on Kubernetes.

``settings`` holds what an administrator chooses, ``hub_config`` turns it into JupyterHub's
configuration in both places. On one machine, ``operation`` starts and stops the ``programs``.
"""
