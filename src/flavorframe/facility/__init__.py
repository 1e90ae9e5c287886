"""The facility: login, notebooks and Dask clusters for a group, on one machine or Kubernetes."""
