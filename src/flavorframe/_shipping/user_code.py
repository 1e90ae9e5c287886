"""Taking an analysis to another process: the user's own modules and functions go with it."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import platform
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import flavorframe
from flavorframe import __version__
from flavorframe.errors import AnalysisError

PACKAGES = ("site-packages", "dist-packages")
LIBRARIES = ("numpy", "correctionlib")
"""Packages that compute: other versions may give results that differ in the last bits."""


def packed(content: Any) -> bytes:
    """Return the content as bytes that any process with flavorframe can unpack.

    Functions of the analysis script, and modules that are not installed, such as those beside the
    script, travel with their code. Raises AnalysisError where something cannot travel, such as an
    open file that a function uses.

    >>> from threading import Lock
    >>> lock = Lock()
    >>> packed(lambda x: lock.acquire() and x)
    Traceback (most recent call last):
    flavorframe.errors.AnalysisError: The function <lambda>
    (<doctest flavorframe._shipping.user_code.packed[2]>, line 1) cannot go to another process, nor
    be saved: it uses lock, a lock. Make it inside the function, or run on this machine's threads,
    with on=None.
    """
    import cloudpickle

    with _by_value(_own_modules()):
        try:
            return bytes(cloudpickle.dumps(content))
        except Exception as error:  # whatever the objects raise that a user's function holds
            raise AnalysisError(_what_stays(_pickled(content), error)) from error


def _pickled(content: Any) -> list[Any]:
    """Return all that is pickled with the content, up to what cannot be."""
    import cloudpickle

    seen: list[Any] = []

    class Noting(cloudpickle.Pickler):  # type: ignore[misc]
        def persistent_id(self, item: Any) -> None:
            seen.append(item)

    with contextlib.suppress(Exception):
        Noting(io.BytesIO()).dump(content)
    return seen


def _what_stays(seen: list[Any], error: Exception) -> str:
    """Return the message for the outermost function that cannot be pickled, and why."""
    functions = [item for item in seen if isinstance(item, FunctionType)]
    function = next((f for f in functions if not _travels(f)), None)
    kind = type(seen[-1]).__name__ if seen else "object"
    if function is None:
        return (
            f"This analysis cannot go to another process, nor be saved, for the sake of a {kind} "
            f"in it: {error}."
        )
    code = function.__code__
    used = inspect.getclosurevars(function)
    names = {**used.globals, **used.nonlocals}
    held = [f"{name}, {_described(v, kind)}" for name, v in names.items() if not _travels(v)]
    what = " and ".join(held) or f"a {kind}"
    return (
        f"The function {function.__name__} ({code.co_filename}, line {code.co_firstlineno}) cannot "
        f"go to another process, nor be saved: it uses {what}. Make it inside the function, or run "
        "on this machine's threads, with on=None."
    )


def _described(item: Any, inside: str) -> str:
    kind = type(item).__name__
    return f"a {kind}" if kind == inside else f"a {kind} with a {inside} in it"


def _travels(item: Any) -> bool:
    import cloudpickle

    try:
        cloudpickle.dumps(item)
    except Exception:  # whatever it raises
        return False
    return True


def unpacked(content: bytes) -> Any:
    """Return what was packed."""
    import cloudpickle

    return cloudpickle.loads(content)


@functools.cache
def environment() -> Mapping[str, str]:
    """Return the versions that must be the same wherever a run is evaluated.

    flavorframe has a digest of its code beside its version, which says nothing of what is being
    developed. Of Python the first two numbers count, as functions travel as its bytecode.

    >>> list(environment())
    ['Python', 'flavorframe', 'numpy', 'correctionlib']
    """
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "flavorframe": f"{__version__} (code {_code_digest()[:8]})",
        **{name: version_of_package(name) for name in LIBRARIES},
    }


def version_of_package(package: str) -> str:
    """Return the version of a package that is installed, and "not installed" of another."""
    try:
        return version(package)
    except PackageNotFoundError:  # correctionlib, where no correction is used
        return "not installed"


def _code_digest() -> str:
    """Return the digest of this package's sources; what is compiled differs between machines."""
    folder = Path(flavorframe.__file__).parent
    paths = [path for path in folder.rglob("*.*") if path.suffix in (".py", ".h")]
    digest = sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        if "native" in path.parts:
            continue  # the headers of what is compiled are not installed
        digest.update(f"{name} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


@contextlib.contextmanager
def _by_value(modules: list[ModuleType]) -> Iterator[None]:
    import cloudpickle

    known = set(cloudpickle.list_registry_pickle_by_value())
    ours = [module for module in modules if module.__name__ not in known]
    for module in ours:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in ours:
            cloudpickle.unregister_pickle_by_value(module)


def installed(name: str) -> bool:
    """Return whether a module is Python's own, or of a package that is installed."""
    module = sys.modules.get(name)
    if name.partition(".")[0] in sys.stdlib_module_names or name == "builtins":
        return True
    file = getattr(module, "__file__", None)
    folders = _installed()
    return file is not None and any(Path(file).resolve().is_relative_to(x) for x in folders)


def _own_modules() -> list[ModuleType]:
    """Return the imported modules that are not installed anywhere."""
    installed = _installed()
    return [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType)
        and name not in ("__main__", "__mp_main__")
        and module.__name__ == name
        and name.partition(".")[0] != "flavorframe"
        and _is_own(getattr(module, "__file__", None), installed)
    ]


def _installed() -> tuple[Path, ...]:
    return _installations(tuple(sys.path))


@functools.lru_cache(maxsize=8)
def _installations(path: tuple[str, ...]) -> tuple[Path, ...]:
    folders = {
        *sysconfig.get_paths().values(),
        sys.base_prefix,
        sys.prefix,
        site.getusersitepackages(),
        *filter(_is_installation, path),
    }
    return tuple(Path(folder).resolve() for folder in folders)


def _is_installation(folder: str) -> bool:
    """Return whether packages are installed in a folder, as elsewhere or by pip's ``--target``."""
    named = Path(folder).name in PACKAGES
    return bool(folder) and (named or any(Path(folder).glob("*.dist-info")))


@functools.lru_cache(maxsize=16_384)  # modules stay where they are, and a session has thousands
def _is_own(file: str | None, installed: tuple[Path, ...]) -> bool:
    if file is None or not file.endswith(".py"):
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in installed)
