"""Plans: an analysis as engines take it, and what must be known before it runs.

* `plan`: a selection with its outputs, immutable and hashable; a bound plan has a file's branches.
* `binding`: from a plan to a bound one; `skimming`: what a skim keeps of a file.
* `meaning`: what each name of a plan stands for in a file, which must be the same in all files.
* `sample_values`: what a dataset is known to be, in the plan for it (by `rewriting`).
* `destinations`: the files that a run would write, and must not write over.
"""
