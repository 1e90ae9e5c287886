"""Runs on Dask clusters."""
