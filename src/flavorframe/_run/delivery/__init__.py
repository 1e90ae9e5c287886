"""What the workers of a run need beside the data: credentials, corrections, files.

* `delivery`: what is to be delivered, and its contents.
* `work_folder`: the private folders on workers' machines that hold it while a run needs it.
* `credential_expiry`: the warning that a run will outlast its credentials.

They are brought to Dask's workers by `flavorframe._run.dask.worker_delivery`, and to batch jobs in
`flavorframe._run.batch.job_files`.
"""
