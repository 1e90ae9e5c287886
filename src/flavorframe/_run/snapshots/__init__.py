"""The rows of a run's snapshots, from partitions to files or memory, in the order of the data.

* `rows`: all snapshots of a run, filled with rows and gaps in order.
* `memory`, `to_files`: where the rows of one snapshot go.
* `earlier_rows`: rows that an earlier run has written, for the run that completes it.
* `other_trees`: what skims have beside the events, of all files.
* `manifest`: the JSON file beside a snapshot, which says from what it was made.

The files themselves are written by `flavorframe._snapshots`.
"""
