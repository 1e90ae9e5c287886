"""ROOT as this engine uses it: imported late and quietly, its messages turned into errors."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

from flavorframe._files.remote import access
from flavorframe.errors import (
    AnalysisError,
    CorrectionError,
    ExpressionError,
    FileError,
    FlavorframeError,
    ModelError,
)

LOCK = RLock()
"""ROOT's interpreter and graphs take one thread of Python at a time."""


OPTIMISED = "#pragma cling optimize(2)\n"
"""What a text begins with whose functions are compiled as well as they can be."""
_INCLUDED = re.compile(r'^#include "(\w+)\.h"\n', re.MULTILINE)


def _header(name: str) -> str:
    """Return a header, without the lines that include others of this package."""
    text = (Path(__file__).parents[1] / "cpp" / f"{name}.h").read_text()
    return _INCLUDED.sub("", text)


_HEADERS = (
    "kinds", "operations", "strings", "elements", "links", "reductions", "state", "words",
    "objects", "lumi_sections",
)  # fmt: skip
EXPRESSIONS = OPTIMISED + "".join(map(_header, _HEADERS))
"""The C++ that generated functions need, as one text: interpreters of workers get it as well."""
_ERRORS: dict[str, type[FlavorframeError]] = {
    "file": FileError,
    "correction": CorrectionError,
    "function": ExpressionError,
    "model": ModelError,
}
_REFUSED = re.compile(r"flavorframe:(\w+):(.*?):end", re.DOTALL)
_DIAGNOSTIC = re.compile(r"^(.+?):(\d+):\d+: error: (.*)$", re.MULTILINE)


def require_root() -> None:
    """Raise AnalysisError where ROOT is not installed."""
    if importlib.util.find_spec("ROOT") is None:
        raise AnalysisError(
            "engine='rdataframe' needs ROOT, which is not installed: "
            "pip install 'flavorframe[root]', or use engine='columnar'."
        )


@lru_cache(maxsize=1)
def root() -> Any:
    """Return the module ROOT, whose interpreter knows what generated functions need."""
    require_root()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel announces that it is young
        import ROOT as module  # noqa: N811
    configure(module)
    for code in (EXPRESSIONS, OPTIMISED + _header("slots"), _header("root_errors")):
        module.gInterpreter.Declare(code)
    return module


def configure(module: Any) -> None:
    """Set ROOT up for this engine, in any process."""
    # Code that is compiled when it is declared, and not when it is called, needs the library.
    module.gSystem.Load("libROOTDataFrame")
    # Otherwise ROOT would open a local file in place of one that a server on this machine has.
    module.gEnv.SetValue("TFile.ForceRemote", 1)
    for name, value in access.XROOTD_SETTINGS.items():
        known = os.environ.get(f"XRD_{name.upper()}", value)  # what the user says takes precedence
        module.gEnv.SetValue(f"NetXNG.{name}", int(known))


@lru_cache(maxsize=1)
def snapshot_rows() -> Any:
    """Return the C++ namespace with what gathers rows, compiled only where there are snapshots."""
    root().gInterpreter.Declare(_header("snapshot_rows"))
    return root().flavorframe


def declare(what: str, code: str) -> None:
    """Declare C++ to the interpreter; raises AnalysisError, which says where, if it fails."""
    with compiling(what):
        if not root().gInterpreter.Declare(OPTIMISED + code):
            raise AnalysisError("the C++ does not compile")


@contextmanager
def compiling(what: str) -> Iterator[None]:
    """Turn a message of the compiler into an error that names the cut and its expression."""
    with _standard_error() as printed:
        try:
            yield
        except FlavorframeError as error:
            failure: Exception | None = error
        except Exception as error:  # whatever the bindings raise where templates do not fit
            failure = error
        else:
            failure = None
    said = printed.read_text(errors="replace")
    printed.unlink()
    if failure is None:
        sys.stderr.write(said)
        return
    found = _DIAGNOSTIC.search(said)
    if found is None:
        raise AnalysisError(f"{what}: ROOT refuses it: {failure} {said}".strip()) from failure
    where, line, message = found.groups()
    if what == where:  # the user's own text, in which lines can be counted
        where = f"{where}, line {line}"
    raise AnalysisError(f"{where}: the C++ does not compile: {message}") from None


@contextmanager
def _standard_error() -> Iterator[Path]:
    """Send the process's standard error, C++'s included, to a file meanwhile."""
    handle, name = tempfile.mkstemp(prefix="flavorframe-")
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(handle, 2)
    try:
        yield Path(name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(handle)


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn errors of ROOT while events are read into errors of the data or of the plan."""
    ours = root().flavorframe
    ours.start_collecting_errors()
    try:
        yield
    except FlavorframeError:
        raise
    except Exception as error:  # C++ exceptions, of ours and of ROOT's
        raise _translated(where, str(error)) from None
    finally:
        ours.stop_collecting_errors()
    errors = _root_errors()
    if errors:
        raise FileError(f"{where}: ROOT says: {errors[0]}")


def _translated(where: str, said: str) -> FlavorframeError:
    found = _REFUSED.search(said)
    if found is None:
        return FileError(f"{where}: ROOT says: {(_root_errors() or [_last_line(said)])[0]}")
    kind, text = found.groups()
    return _ERRORS[kind](f"{where}: {text}." if kind == "file" else text)


def _root_errors() -> list[str]:
    return [str(error) for error in root().flavorframe.root_errors]


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""


@contextmanager
def implicit_threads(threads: int) -> Iterator[None]:
    """Let ROOT use so many threads meanwhile, and as many as before afterwards."""
    core = root().ROOT
    before = int(core.GetThreadPoolSize()) if core.IsImplicitMTEnabled() else 1
    _set_threads(core, before, threads)
    try:
        yield
    finally:
        _set_threads(core, threads, before)


def _set_threads(core: Any, now: int, wanted: int) -> None:
    if now == wanted:
        return
    if now > 1:
        core.DisableImplicitMT()
    if wanted > 1:
        core.EnableImplicitMT(wanted)
