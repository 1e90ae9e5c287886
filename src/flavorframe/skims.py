"""Skims: the events that a selection keeps, with the lists that the file has in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Operand, as_node
from flavorframe.errors import AnalysisError
from flavorframe.outputs import Snapshot, refuse_texts, require_path

FORMATS = ("ttree", "rntuple")
BESIDE = ("Runs", "LuminosityBlocks", "MetaData")
"""Trees beside the events that NanoAOD has: sums of weights of all events that were generated."""

Patterns = str | Iterable[str]


@dataclass(frozen=True)
class Kept:
    """A branch of a file that a skim keeps.

    ``counter`` is the branch that counts its lists together with others, empty where none does, and
    None where it has one value in each event.
    """

    branch: str
    counter: str | None = None


@dataclass(frozen=True)
class Skim(Snapshot):
    """A snapshot whose rows are events: branches of the file, and ``columns`` beside them.

    ``kept`` and ``counters``, those of new columns with lists, are known once a file is open, and
    so is ``candidate_rows``: where the file has one row a candidate, so has the skim.
    """

    keep: tuple[str, ...] = ("*",)
    drop: tuple[str, ...] = ()
    passed: str | None = None
    trees: tuple[str, ...] = BESIDE
    kept: tuple[Kept, ...] = ()
    counters: tuple[tuple[str, str], ...] = ()
    candidate_rows: n.Axis | None = None

    def column_names(self, *, weighted: bool) -> list[str]:
        """Return the names of the columns; weights are not among them."""
        return [*(kept.branch for kept in self.kept), *self.new_names]

    @property
    def new_names(self) -> tuple[str, ...]:
        """The names of the branches that the file does not have, or in whose place they come."""
        names = tuple(name for name, _ in self.columns)
        return names if self.passed is None else (*names, self.passed)


def skim(
    keep: Patterns = "*",
    *,
    path: str | Path | None = None,
    drop: Patterns = (),
    format: str = "ttree",
    tree: str = "Events",
    files: int = 1,
    passed: str | None = None,
    trees: Patterns = BESIDE,
    **named: Operand,
) -> Skim:
    """Declare a skim: each event with a selected candidate, with all that the file has in it.

    Lists stay whole: those of candidates that were cut as well, for links count on them. In a
    TTree a branch counts each list, as in NanoAOD (``nMuon`` and ``Muon_pt``), also of what was a
    ``std::vector``; lists of strings go to RNTuples only. Of files with one row a candidate it has
    such rows, all of each event.

    Args:
        keep: Shell patterns of the branches to keep, all by default.
        path: The file to write to while the run goes on. Without it ``run`` needs ``output=``.
        drop: Shell patterns of branches to leave out after all.
        format: "ttree" or "rntuple".
        tree: The name of the tree.
        files: Among how many files the events are divided evenly, as by `snapshot`.
        passed: The name of a new list that says which candidates the selection kept.
        trees: Other trees of the files, which are copied whole, one file after the other, also of
            files without a selected event: so sums of generator weights stay right.
        named: New branches by name, with one value for each event as it is after the selection, or
            for each element of a collection. One of the name of a branch takes its place.

    Returns:
        The skim to be written, for `Analysis`.

    Raises:
        AnalysisError: ``path``, ``format``, ``files`` or a pattern is wrong.
        ExpressionError: A new branch is a text.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.skim(["run", "triplet_*"], path="skim.root", dr=ff.delta_r(t.mu1, t.mu2)).paths
        ('skim.root',)
    """
    require_path(path, files)
    if format not in FORMATS:
        raise AnalysisError(f"format={format!r}: a skim is written as {' or '.join(FORMATS)}.")
    columns = tuple((name, as_node(value)) for name, value in named.items())
    refuse_texts(columns)
    if passed in named:
        raise AnalysisError(f"passed={passed!r} is the name of another new branch.")
    return Skim(
        columns, None if path is None else str(path), format, tree, files,
        keep=_patterns("keep", keep), drop=_patterns("drop", drop), passed=passed,
        trees=_patterns("trees", trees),
    )  # fmt: skip


def _patterns(option: str, given: Patterns) -> tuple[str, ...]:
    patterns = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(pattern, str) and pattern for pattern in patterns):
        raise AnalysisError(f"{option}={given!r}: give patterns of names, such as 'Muon_*'.")
    return patterns
