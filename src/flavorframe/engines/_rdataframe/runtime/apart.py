"""ROOT in a process of its own: a file that crashes it costs that file, and not the session.

The process is started once, while files are being opened, and asked again and again. Another takes
its place where it ended.
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

from flavorframe._shipping import extra_files
from flavorframe.errors import FileError, FlavorframeError

_lock = RLock()


class _Process:
    """A process that has ROOT, and does what it is asked for."""

    def __init__(self) -> None:
        self._connection, other = Pipe()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from {__name__} import serve; serve({other.fileno()})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], pass_fds=[other.fileno()], stdin=subprocess.DEVNULL
        )
        other.close()
        self.owner = os.getpid()

    @property
    def runs(self) -> bool:
        """Whether it can be asked, by this process: one that was forked has none."""
        return self.owner == os.getpid() and self._process.poll() is None

    def ask(self, question: bytes) -> Any:
        """Return the answer to a question; raises EOFError where the process ends before."""
        try:
            self._connection.send_bytes(question)
            return pickle.loads(self._connection.recv_bytes())
        except BaseException as error:  # after an interrupt, nobody waits for the answer
            self.stop()
            if isinstance(error, OSError):
                raise EOFError from error
            raise

    def stop(self) -> None:
        """End the process, if it has not ended."""
        self._connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # so that it tells how it ended
            self._process.wait(0.5)
        self._process.kill()
        self._process.wait()

    def end(self) -> str:
        """Return how the process ended."""
        code = self._process.wait()
        names = {item.value: item.name for item in signal.Signals}
        return names.get(-code, f"signal {-code}") if code < 0 else f"exit code {code}"


_running: list[_Process] = []


def start() -> _Process:
    """Return the process, which is started if need be, and do not wait until it has ROOT."""
    with _lock:
        if not (_running and _running[0].runs):
            _running[:] = [_Process()]
        return _running[0]


@atexit.register
def _stop() -> None:
    for process in _running:
        if process.runs:
            process.stop()


def ask(where: str, work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns in the process that has ROOT.

    Raises what it raises, and FileError, about the file or files ``where``, if the process ends.
    """
    around = os.getcwd(), dict(os.environ), extra_files.known()
    question = pickle.dumps((work, arguments, around))
    with _lock:
        process = start()
        try:
            answer, failure, told = process.ask(question)
        except EOFError:
            raise FileError(
                f"{where}: ROOT crashed while it was reading ({process.end()}): damaged data, a "
                "function in C++ that fails, or no memory. engine='columnar' may say more."
            ) from None
    if failure is not None:
        raise failure from (None if isinstance(failure, FlavorframeError) else RuntimeError(told))
    return answer


# in the other process


def serve(descriptor: int) -> None:
    """Answer until nobody asks any more."""
    from flavorframe.engines._rdataframe.runtime.root import root

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of whoever asks, who ends this process
    with contextlib.suppress(Exception):  # why it cannot be had is told to who asks for it
        root().gSystem.ResetSignals()  # ROOT's own handler would look for a debugger, for minutes
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send_bytes(_answer(connection.recv_bytes()))
    os._exit(0)


def _answer(question: bytes) -> bytes:
    """Return the answer, an error and its traceback, all but one of them None."""
    try:
        work, arguments, (folder, environment, extra) = pickle.loads(question)
        extra_files.settle(*extra)
        os.chdir(folder)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        return pickle.dumps((work(*arguments), None, None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return _told(error, traceback.format_exc())


def _told(error: Exception, text: str) -> bytes:
    try:
        content = pickle.dumps((None, error, text))
        pickle.loads(content)
    except Exception:  # an error of ROOT's bindings
        return pickle.dumps((None, RuntimeError(text), text))
    return content
