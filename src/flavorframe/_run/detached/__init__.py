"""Runs that go on without the process that started them.

* `submit` makes a `job.Job` and puts it into a store: a folder of this machine (`folder_store`), or
  the metadata of a Dask scheduler (`dask_store`). `store` is the interface of both.
* `conduct` does the job, in a process of this machine (``__main__``) or a task of the cluster. It
  records in the store how the run stands, the result so far, and at the end the result or error.
* `run` has the class `run.Run`, made by ``analysis.submit`` or ``ff.attach``, which reads the store
  from any process.
"""
