"""Executors: where partitions are evaluated."""
