"""How a run goes: from a plan and a dataset to a result.

1. `targets` picks the executor for what the user named with ``on=``: `local` (threads of this
   process), `whole_files` (an engine that takes many files in one loop), `dask`, or the one of a
   batch site (`batch`).
2. The executor brings credentials and files to where the work is done (`delivery`).
3. It makes an `core.accumulator.Accumulator`, whose ``work`` lists the ranges of events to read:
   all files, or the gaps of an earlier run (`core.partitions`).
4. Each file is opened, its range is cut into partitions, and the engine evaluates the plan on
   each of them (`core.attempts`). An error of the data becomes a failure, any other is raised.
5. The accumulator adds the partials up, in any order. Rows of snapshots go to files or memory in
   the order of the data (`core.ordering`, `snapshots`). Progress is shown, and the result so far
   given to those who asked for it (`progress`, `core.updates`).
6. At the end there is an `outcome.Outcome`, which knows its gaps. `core.ending` makes a result of
   it, once all its files are in their places; `resume` completes it.

A run may also be conducted by another process: see `detached`.

To add an executor, write a class with the methods of `core.executor.Executor` and have `targets`
return it. `local` is the shortest example: give each opened file and each partition's partial, or
its failure, to an accumulator, in any order, and return its outcome.

Imports point downwards only, in the order that ``pyproject.toml`` states for these packages.
"""
