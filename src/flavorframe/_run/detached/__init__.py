"""Runs that go on without the process that started them.

`submit` makes a `Job` and puts it into a store: a folder of this machine (`FolderStore`), or the
metadata of a Dask scheduler (`DaskStore`). A process of this machine (``__main__``), or a task of
the cluster, then conducts the run: it does the job, and records in the store how the run stands,
the result so far, and at the end the result or the error. A `Run`, made by ``analysis.submit`` or
``ff.attach``, reads the store from any process.
"""
