"""Batch systems: a run as jobs of Slurm or HTCondor, by way of a folder.

A run takes these steps:

1. `executor` divides the files among jobs (`shares`), writes the plan and the files that the jobs
   need (`job_files`) into a folder of the run (`folder`), and has the batch system submit the jobs.
2. Each job (``job``) evaluates its share and writes a part: records of its files and partitions
   (`records`) in a file with a checksum (`parts`).
3. `monitor` looks for parts and asks the batch system how the jobs stand (`states`). It submits
   failed jobs again, and finds in logs why a job failed (`failure_reasons`).
4. `collect` gives the parts to the accumulator that all executors share. `gather` does so later,
   from another process.

`system` has the class `BatchSystem`, of which `slurm` and `htcondor` have one each. They use
`commands` (of a batch system), `request` (memory and time as users write them), `event_log` (of
HTCondor) and `dask_cluster` (Dask workers as batch jobs).

To add a batch system, write a class derived from `system.BatchSystem` in a module of its own, as in
`slurm` (the shorter) and `htcondor`, and name it in ``flavorframe/__init__.pyi``. The abstract
methods say what it must know: how jobs are submitted, how they stand, and how they are cancelled.
Everything else, also ``gather`` and the executor, is inherited.
"""
