"""Rows of snapshots in files."""
