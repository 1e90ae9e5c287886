"""A child process that calls functions for this one, and may crash without this one.

It has this process's path of modules, and for each call its folder and environment variables. What
is asked and answered is pickled.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from threading import RLock
from typing import Any

from flavorframe.errors import FlavorframeError

PATIENCE = 0.5
"""Seconds in which a child that crashed is expected to end, before it is killed."""


class ChildEndedError(EOFError):
    """The child has ended before it answered; the text says how it ended."""


class ChildProcess:
    """A child process.

    Args:
        prepare: A function of a module, which the child calls when it starts.

    Example:
        >>> with ChildProcess() as child:
        ...     child.call(divmod, 7, 2)
        (3, 1)
    """

    def __init__(self, prepare: Callable[[], None] | None = None) -> None:
        self._connection, other = Pipe()
        lines = [f"import sys; sys.path[:] = {sys.path!r}", f"from {__name__} import serve"]
        if prepare is not None:
            lines.append(f"from {prepare.__module__} import {prepare.__name__}")
        lines.append(f"serve({other.fileno()}, {prepare and prepare.__name__})")
        self._process = subprocess.Popen(
            [sys.executable, "-c", "\n".join(lines)],
            pass_fds=[other.fileno()], stdin=subprocess.DEVNULL, env=os.environ,
        )  # fmt: skip
        other.close()
        self._owner = os.getpid()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def runs(self) -> bool:
        """Whether this process can call functions in it; a fork of this process cannot."""
        return self._owner == os.getpid() and self._process.poll() is None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function of a module returns in the child.

        Raises what it raises there, and ChildEndedError where the child ends before.
        """
        question = pickle.dumps((function, arguments, os.getcwd(), dict(os.environ)))
        answer, failure, trace = self._answer(question)
        if failure is not None:
            known = isinstance(failure, FlavorframeError)
            raise failure from (None if known else RuntimeError(trace))
        return answer

    def _answer(self, question: bytes) -> Any:
        try:
            self._connection.send_bytes(question)
            return pickle.loads(self._connection.recv_bytes())
        except BaseException as error:  # after an interrupt, nobody waits for the answer
            self.stop()
            if isinstance(error, OSError | EOFError):
                raise ChildEndedError(self._end()) from None
            raise

    def stop(self) -> None:
        """End the process, if it has not ended."""
        self._connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # its own end tells what was wrong
            self._process.wait(PATIENCE)
        self._process.kill()
        self._process.wait()

    def _end(self) -> str:
        """Return how the process ended."""
        code = self._process.wait()
        names = {item.value: item.name for item in signal.Signals}
        return names.get(-code, f"signal {-code}") if code < 0 else f"exit code {code}"


class SharedChild:
    """A child process for all calls: started for the first, and anew where it has ended."""

    def __init__(self, prepare: Callable[[], None] | None = None) -> None:
        self._prepare = prepare
        self._lock = RLock()
        self._running: ChildProcess | None = None
        atexit.register(self._stop)

    def start(self) -> ChildProcess:
        """Return the process, which is started if need be; do not wait until it is prepared."""
        with self._lock:
            if self._running is None or not self._running.runs:
                self._running = ChildProcess(self._prepare)
            return self._running

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function returns in the child, one at a time; see `ChildProcess.call`."""
        with self._lock:
            return self.start().call(function, *arguments)

    def _stop(self) -> None:
        if self._running is not None and self._running.runs:
            self._running.stop()


# in the child


def serve(descriptor: int, prepare: Callable[[], None] | None) -> None:
    """Answer until the other process closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends this process
    if prepare is not None:
        with contextlib.suppress(Exception):  # the calls that need it will say what is wrong
            prepare()
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send_bytes(_answer(connection.recv_bytes()))
    os._exit(0)


def _answer(question: bytes) -> bytes:
    """Return a pickled tuple: the answer, or None with an error and its traceback."""
    try:
        function, arguments, folder, environment = pickle.loads(question)
        os.chdir(folder)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        return pickle.dumps((function(*arguments), None, None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return _failure(error, traceback.format_exc())


def _failure(error: Exception, trace: str) -> bytes:
    try:
        content = pickle.dumps((None, error, trace))
        pickle.loads(content)
    except Exception:  # it cannot be pickled, as those of ROOT's bindings
        return pickle.dumps((None, RuntimeError(trace), trace))
    return content
