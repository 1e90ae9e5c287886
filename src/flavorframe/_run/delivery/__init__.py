"""What a run needs beside its data, where the work is done: credentials, corrections, files.

* `delivery`: what is to be delivered, and its contents.
* `work_folder`: the private folders on workers' machines that hold it while a run needs it.
* `credential_expiry`: the warning that a run will outlast its credentials.

How it gets to Dask's workers is in `flavorframe._run.dask.delivery`, and to batch jobs in
`flavorframe._run.batch.job_files`.
"""
