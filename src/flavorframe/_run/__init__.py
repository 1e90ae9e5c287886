"""Runs: from a plan and datasets to results.

1. `run_datasets` makes a plan for each dataset (`plans`), and evaluates them one after the other.
2. `targets` picks the executor for what the user named with ``on=``: `local` (threads of this
   process), `whole_files` (an engine that takes many files in one loop), `dask`, or that of
   a batch system (`batch`).
3. The executor learns of all runs by ``announce``, before the first: a batch system submits their
   jobs together. Then ``run`` evaluates one plan on one dataset: steps 4 to 8.
4. It brings credentials and files to the workers (`delivery`).
5. It makes a `core.accumulator.Accumulator`, whose ``work`` lists the ranges of events to read: all
   files, or the gaps of an earlier run (`core.partitions`).
6. It opens each file, cuts its range into partitions, and has the engine evaluate the plan on each
   of them (`core.attempts`). An error of the data becomes a failure, any other is raised.
7. The accumulator adds the partials up, in any order. It passes the rows of snapshots to files or
   memory in the order of the data (`core.ordering`, `snapshots`), shows progress (`progress`), and
   gives the result so far to listeners (`core.updates`).
8. The executor returns an `outcome.Outcome`, which has the gaps.
9. `run_datasets` calls `core.ending.result_of`, which moves files to their places and makes the
   result. `resume` reads the gaps of an earlier result in the same way.

A run may also be conducted by another process: see `detached`.

To add an executor:

* Write a class with the methods of `core.executor.Executor`; `local` is the shortest example. Give
  each opened file and each partition's partial, or its failure, to an accumulator, in any order.
  Return ``accumulator.outcome()`` after the ``with`` block.
* Have `targets.executor_for` return it, and `targets.backend_of` name its backend.
* Add that name to `core.options.Backend`, and to ``refused_at`` of the options that it cannot take.

Imports point downwards only, in the order that ``pyproject.toml`` states for these packages.
"""
