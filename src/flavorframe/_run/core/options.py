"""The options of a run: the one definition of their types, defaults, meanings and limits.

The signatures of `Analysis.run`, `Analysis.submit`, `Result.resume`, `Results.resume` and
``ff.Slurm.gather`` are written out, so that ``help()`` and editors show them. A test compares each
with the fields here. To add an option, add a field to `RunOptions` and a keyword to each method.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flavorframe.errors import AnalysisError, did_you_mean

if TYPE_CHECKING:
    from typing import TypeAlias

    from flavorframe._planning.plan import Plan
    from flavorframe.datasets import PathLike
    from flavorframe.engines import Engine
    from flavorframe.result import Result

    Target: TypeAlias = "str | BatchSystemLike | DaskClientLike | DaskClusterLike | None"

PARTITION_SIZE = 170_000
"""Events in a partition: enough that Python has little to do, few enough to take little memory."""

SKIM_PARTITION_SIZE = 25_000
"""The same where whole events are copied, which may take ten kilobytes each and more."""

NAME_BYTES = 255
"""Longest name of a file or folder that common file systems take, in bytes."""

POLICIES = ("report", "raise")

Method = Literal["run", "submit", "resume", "gather"]
"""The methods that take options."""
Backend = Literal["threads", "local Dask", "Dask", "batch"]
"""What evaluates a run; "local Dask" is a cluster that the run itself starts."""


class BatchSystemLike(Protocol):
    """A batch system such as ``ff.Slurm(...)``, known by its method `executor`."""

    @property
    def executor(self) -> Callable[[Engine, RunOptions], Any]: ...


class DaskClusterLike(Protocol):
    """A Dask cluster, known by its method `get_client`."""

    @property
    def get_client(self) -> Callable[..., Any]: ...


class DaskClientLike(Protocol):
    """A client of a Dask cluster, known by its method `scheduler_info`."""

    @property
    def scheduler_info(self) -> Callable[..., Any]: ...


def _about(
    text: str,
    *,
    methods: Sequence[Method] = ("run", "submit", "resume"),
    refused_by: Mapping[Method, str] | None = None,
    refused_at: Mapping[Backend, str] | None = None,
) -> dict[str, Any]:
    """Return the metadata of an option's field.

    ``text`` is its line in the docstrings. ``methods`` have the option; ``refused_by`` says why
    another method does not, and ``refused_at`` why it means nothing to some backends.
    """
    return {"about": text, "methods": methods, "by": refused_by or {}, "at": refused_at or {}}


_ASK_LATER = "{name}= needs this process: a detached run is asked by ff.attach(name), which has "
_OF_DASK = "performance_report= is a report of Dask's: give on= a Dask cluster, or leave it out."
_OWN_THREADS = (
    "threads={value}: the workers of a Dask cluster have their own threads; leave it out, or say "
    "on='dask' for a cluster of so many workers on this machine."
)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is to be done; see `flavorframe.Analysis.run`.

    Raises AnalysisError for a value that is of another type, or out of range.
    """

    on: Target = field(
        default=None,
        metadata=_about(
            "Where to run: ``None`` for the cores of this machine, a Dask client, cluster or "
            'address such as ``"tcp://host:8786"``, ``"dask"`` for a Dask cluster on this machine, '
            '``"gateway"`` for a new one of Dask Gateway, or a batch system such as '
            "``ff.Slurm(...)``.",
        ),
    )
    engine: str | Engine = field(
        default="columnar",
        metadata=_about(
            '``"columnar"``, ``"rdataframe"``, or an object with the methods of an engine.',
            methods=("run", "submit"),
        ),
    )
    cache: bool | PathLike | None = field(
        default=None,
        metadata=_about(
            "Keep what was read and computed, so that a changed cut shows its result at once: "
            "``True`` in ``$FLAVORFRAME_CACHE`` or ``~/.cache/flavorframe``, a folder there, "
            "``False`` nowhere. ``None`` keeps it in memory in a notebook, and in "
            "``$FLAVORFRAME_CACHE`` where that is set.",
            refused_at={"batch": "cache={value!r}: batch jobs keep nothing; leave it out."},
        ),
    )
    output: PathLike | None = field(
        default=None,
        metadata=_about(
            "Folder for the result and its snapshots, which are written while the run goes on.",
            methods=("run", "submit"),
        ),
    )
    threads: int | None = field(
        default=None,
        metadata=_about(
            "Number of threads; by default the number of cores. With a batch system it is that of "
            'each job, with ``on="dask"`` the number of workers.',
            refused_at={"Dask": _OWN_THREADS},
        ),
    )
    partition_size: int | None = field(
        default=None,
        metadata=_about(
            f"Most events that are read at once; by default {PARTITION_SIZE:,} or fewer."
        ),
    )
    progress: bool | Literal["live"] | None = field(
        default=None,
        metadata=_about(
            "Show a progress bar; by default where a person is looking on. In a notebook "
            '``"live"`` shows the histograms as well.',
            methods=("run", "resume", "gather"),
            refused_by={
                "submit": "progress= has nowhere to be shown: a detached run is asked by "
                "ff.attach(name), which has fraction and so_far()."
            },
        ),
    )
    on_error: Literal["report", "raise"] = field(
        default="report",
        metadata=_about(
            '``"report"`` notes files that cannot be read in ``result.failures``; ``"raise"`` '
            "raises the first error.",
            methods=("run", "submit", "resume", "gather"),
        ),
    )
    retries: int = field(
        default=2,
        metadata=_about(
            "How many times more to try what failed for a reason that may pass.",
            methods=("run", "submit", "resume", "gather"),
        ),
    )
    on_update: Callable[[Result], object] | None = field(
        default=None,
        metadata=_about(
            "Function that is called about once a second with the result so far.",
            methods=("run", "resume", "gather"),
            refused_by={"submit": f"{_ASK_LATER}so_far() and stop()."},
        ),
    )
    should_stop: Callable[[], bool] | None = field(
        default=None,
        metadata=_about(
            "Function that is asked between partitions whether to end the run, with the "
            "result so far.",
            methods=("run", "resume"),
            refused_by={"submit": f"{_ASK_LATER}so_far() and stop()."},
        ),
    )
    performance_report: PathLike | None = field(
        default=None,
        metadata=_about(
            "HTML file for Dask's own report of the run.",
            refused_at={"threads": _OF_DASK, "batch": _OF_DASK},
        ),
    )
    files: PathLike | Sequence[PathLike] = field(
        default=(),
        metadata=_about("Files that functions of the analysis read: see `flavorframe.delivered`."),
    )

    def __post_init__(self) -> None:
        _require_number("threads", self.threads, 1, optional=True)
        _require_number("partition_size", self.partition_size, 1, optional=True)
        _require_number("retries", self.retries, 0)
        if self.on_error not in POLICIES:
            raise AnalysisError(
                f"on_error={self.on_error!r} is not one of {', '.join(POLICIES)}."
                f"{did_you_mean(str(self.on_error), POLICIES)}"
            )
        _require_progress(self.progress)
        _require_engine(self.engine)
        for name in ("on_update", "should_stop"):
            _require_function(name, getattr(self, name))
        for name in ("output", "performance_report"):
            _require_path(name, getattr(self, name))
        if not isinstance(self.cache, bool):
            _require_path("cache", self.cache, "True, False or a folder")
        _require_files(self.files)

    @property
    def size(self) -> int:
        """The most events of a partition."""
        return self.partition_size or PARTITION_SIZE

    def fitting(self, plan: Plan) -> RunOptions:
        """Return the options for a plan, with small partitions where skims copy whole events."""
        if plan.skims and self.partition_size is None:
            return replace(self, partition_size=SKIM_PARTITION_SIZE)
        return self

    def require_possible(self, backend: Backend, engine: Engine | None = None) -> None:
        """Raise AnalysisError for an option that means nothing to the backend or the engine."""
        if self.cache and engine is not None and engine.name != "columnar":
            raise AnalysisError(
                f"cache={self.cache!r}: engine {engine.name!r} keeps nothing; leave it out, or use "
                "engine='columnar'."
            )
        for name, item in _FIELDS.items():
            reason, value = item.metadata["at"].get(backend), getattr(self, name)
            if reason is not None and value:
                raise AnalysisError(reason.format(name=name, value=value))

    def without_this_process(self) -> RunOptions:
        """Return the options that can be kept in a file: no target, engine or function."""
        return replace(self, on=None, engine="columnar", on_update=None, should_stop=None)


_FIELDS: dict[str, Field[Any]] = {item.name: item for item in fields(RunOptions)}


def options_of(method: Method) -> dict[str, Field[Any]]:
    """Return the options that a method has, by name."""
    return {name: x for name, x in _FIELDS.items() if method in x.metadata["methods"]}


def refuse_unknown(method: Method, keywords: Mapping[str, object]) -> None:
    """Raise AnalysisError for keywords that a method does not have, with the reason or the nearest.

    What has a reason to be refused may still be given as off, such as ``progress=False``.
    """
    for name, value in keywords.items():
        reason = _FIELDS[name].metadata["by"].get(method) if name in _FIELDS else None
        if reason is None:
            raise AnalysisError(_no_option(method, name))
        if value:
            raise AnalysisError(reason.format(name=name))


def _no_option(method: Method, name: str) -> str:
    known = options_of(method)
    near, names = did_you_mean(name, known), ", ".join(known)
    if method == "gather":
        return f"gather() has no option {name!r}: it takes {names}.{near}"
    return f"There is no option {name!r} of a run.{near} There are {names}."


def _require_number(name: str, number: object, least: int, *, optional: bool = False) -> None:
    if number is None and optional:
        return
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise AnalysisError(f"{name}={number!r}: it must be a whole number, at least {least}.")
    if number < least:  # type: ignore[operator]
        raise AnalysisError(f"{name}={number}: it must be at least {least}.")


def _require_progress(progress: object) -> None:
    if isinstance(progress, str) and progress != "live":
        raise AnalysisError(f"progress={progress!r}: give True, False, None or 'live'.")


def _require_engine(engine: object) -> None:
    methods = ("prepare", "evaluate", "empty")
    if not isinstance(engine, str) and not all(hasattr(engine, name) for name in methods):
        raise AnalysisError(
            f"engine={engine!r}: give the name of an engine, or an object with the methods "
            f"{', '.join(methods)}."
        )


def _require_function(name: str, function: object) -> None:
    if function is not None and not callable(function):
        raise AnalysisError(f"{name}={function!r}: give a function.")


def _require_path(name: str, path: object, wanted: str = "a path") -> None:
    if path is None:
        return
    if not isinstance(path, str | os.PathLike):
        raise AnalysisError(f"{name}={path!r}: give {wanted}.")
    if "\0" in os.fsdecode(path):
        raise AnalysisError(f"{name}={path!r} holds a zero byte, which no path can.")
    longest = max(os.fsencode(path).split(b"/"), key=len)
    if len(longest) > NAME_BYTES:
        raise AnalysisError(
            f"{name}={os.fsdecode(path)[:40]!r}...: a name of {len(longest)} bytes; file systems "
            f"take {NAME_BYTES} at most."
        )


def _require_files(files: object) -> None:
    paths = [files] if isinstance(files, str | os.PathLike) else files
    if not isinstance(paths, Collection) or None in paths:
        raise AnalysisError(f"files={files!r}: give a path, or a list of paths.")
    for path in paths:
        _require_path("files", path)
