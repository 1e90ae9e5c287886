"""Files of snapshots: how rows of columns are written, read back and divided.

In the order of the imports, lowest first:

* `columns`: what rows are, a numpy array or lists for each column, and how many there are.
* `awkward_lists`: the same as uproot has it.
* `promotion`: the type of a column that has another type in some files.
* `formats`: TTree, RNTuple and Parquet. A new format is a class here and a reader in `reading`.
* `reading`: rows from a range of a file.
* `writing`: chunks of rows to one file, whole or not at all.
* `dividing`: the rows of one file divided among several.

Which rows belong to a run, and in which order, is known above: see `flavorframe._run.snapshots`.
"""
