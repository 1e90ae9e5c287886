"""Runs on Dask clusters. Dask is an optional package: nothing here is imported by a local run.

From the user's target to the results, in order:

* `requirement`: the error where Dask is not installed.
* `protocols`: what is used of a Dask client and its futures.
* `cluster`: a client of what the user named, and what is asked of its scheduler.
* `admission`: the plugin that lets a worker take part which has the same versions as the client.
* `delivery`: credentials and files for the workers, renewed while a run goes on.
* `worker_tasks`: what workers do: open files, and evaluate partitions.
* `workers`: which workers take part, and which are left out, and why.
* `schedule`: what is to be opened and evaluated next, and in which sizes.
* `tasks`, `futures`: what was submitted, and what comes back whatever happens to workers.
* `task_manager`: submits tasks as others come back, and tries again what failed.
* `executor`: all of it, for one run.
"""
