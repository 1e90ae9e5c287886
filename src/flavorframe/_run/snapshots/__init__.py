"""The rows of snapshots during a run."""
