"""Work in a process that is killed at a line of some files."""

import itertools
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor


def in_a_fresh_process(work, *arguments):
    """Do some work where little is in memory yet: each fork of a process that has grown copies it.

    The work is a function of a module, and it and its arguments can be pickled.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        return processes.submit(work, *arguments).result()


def killed_at(number, files, work):
    """Do some work in a process that is killed at a line of the files; tell whether it was."""
    pid = os.fork()
    if pid == 0:
        count = itertools.count(1)

        def trace(frame, event, argument):
            if frame.f_code.co_filename not in files:
                return None
            if event == "line" and next(count) == number:
                os._exit(9)
            return trace

        sys.settrace(trace)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
