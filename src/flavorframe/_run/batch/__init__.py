"""Batch systems: a run as jobs of Slurm or HTCondor, by way of a folder.

A run goes so:

1. `BatchExecutor` divides the files among jobs (`shares`), writes the plan and what the jobs need
   (`job_files`) into a folder of the run (`folder`), and has the batch system submit the jobs.
2. Each job (``job``) evaluates its share and writes a part: records of its files and partitions
   (`records`) in a file that is whole or is not taken (`parts`).
3. `Follower` looks at the parts and at the queue, and submits again what failed; from logs and the
   batch system it says why a job failed (`failure_reasons`).
4. `collect` takes the parts as they come, and gives them to the accumulator that all executors
   share. `gather` does so later, from another process.

To add a batch system, make a class of `System` in a module of its own, as in `slurm` (the shorter)
and `htcondor`. It says how jobs are submitted, how they stand and how they are cancelled; `Site`
lists these methods. Then name it in ``flavorframe/__init__.pyi``.
"""
