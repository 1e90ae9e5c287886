"""What all executors share.

* `executor`: the interface of executors.
* `options`: the options of a run, `RunOptions`, and which of them each backend takes.
* `partitions`: which events are to be read, cut into partitions.
* `attempts`: opens a file and evaluates a partition; an error of the data becomes a failure.
* `accumulator`: adds up what executors read. It uses `opened_files` (refuses files that do not
  belong together), `failures`, `ordering` (passes rows on in the order of the data), `updates`
  (gives the result so far, and asks whether to stop) and `worker_times`.
* `ending`: moves files to their places, and makes the result from the outcome.
* `interrupts`, `threads`: defers Ctrl-C, and a pool of threads that an interrupt ends.
"""
