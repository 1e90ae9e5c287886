"""Runs on Dask clusters. Dask is an optional package: nothing here is imported by a local run.

The modules, from the user's target to the results:

* `requirement`: the error where Dask is not installed.
* `protocols`: types for the parts of Dask that are used.
* `cluster`: connects to the cluster that the user named, and asks its scheduler.
* `worker_plugin`: the plugin that gives work to workers with the same versions as the client.
* `worker_delivery`: brings credentials and files to the workers, and renews credentials.
* `worker_tasks`: what workers do: open files, and evaluate partitions.
* `workers`: which workers take part, and which are left out, and why.
* `schedule`: which files to open and which partitions to evaluate next, and how large.
* `tasks`, `futures`: tasks that were submitted, and their results.
* `task_manager`: submits tasks as others complete, and tries failed ones again.
* `executor`: the executor, which uses all of these.
"""
