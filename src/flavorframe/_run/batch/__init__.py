"""Batch systems: a run as jobs of Slurm or HTCondor, by way of a folder."""
