"""What all executors share: the contract, and the way of what they read into an outcome.

* `executor`: what an executor is, and the options of a run.
* `partitions`: which events are to be read, in partitions.
* `attempts`: opening a file and evaluating a partition; an error of the data becomes a failure.
* `accumulator`: what executors feed. It adds up partials, and has the rest done by
  `opened_files` (files that do not belong together are refused), `failures`, `ordering` (rows in
  the order of the data), `updates` (results so far, whether to stop) and `worker_times`.
* `ending`: files take their places, and the outcome becomes a result.
* `interrupts`, `threads`: Ctrl-C, and a pool of threads that heeds it.
"""
