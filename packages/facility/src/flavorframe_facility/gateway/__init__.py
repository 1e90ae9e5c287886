"""Dask Gateway: who may use it, and how much the clusters of users may take."""
