"""The errors that flavorframe raises: what, where, the nearest valid names, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class FlavorframeError(Exception):
    """Base of every error that flavorframe raises on purpose; its text is meant for a physicist."""


class ExpressionError(FlavorframeError, TypeError):
    """An expression without a meaning: two collections combined, ``and`` for ``&`` ..."""


class DatasetError(FlavorframeError, ValueError):
    """A catalogue or dataset that is wrong; the text names the era and the key."""


class LayoutError(FlavorframeError, ValueError):
    """A layout that is declared wrongly; the text names the line, or the key."""


class FileError(FlavorframeError, OSError):
    """A file that cannot be read: missing, not ROOT, without the tree, damaged."""


class AccessError(FileError):
    """A file that its server will not give: it is not there, or the user may not read it."""


class ServerError(FileError):
    """A server that cannot be reached, does not answer, or breaks off."""


class ReplicasError(FileError):
    """A file that none of its places gives: ``errors`` has what went wrong at each of them."""

    def __init__(self, file: str, errors: Mapping[str, FileError]) -> None:
        super().__init__(file, errors)
        self.file, self.errors = file, dict(errors)

    def __str__(self) -> str:
        told = " ".join(str(error) for error in self.errors.values())
        return f"{self.file}: none of its {len(self.errors)} places gives it. {told}"


class FileChangedError(FileError):
    """A file that was replaced or written to while a run read it."""


class CredentialError(FlavorframeError, PermissionError):
    """A proxy or token that is missing, has expired, or that others can read."""


class BranchError(FlavorframeError, LookupError):
    """A branch or field that the file does not have, or that has the wrong type."""


class AnalysisError(FlavorframeError, ValueError):
    """A selection, output or analysis that is declared wrongly."""


class RunError(FlavorframeError, RuntimeError):
    """A run that produced nothing, or an output that cannot be written."""


class OutputError(RunError):
    """An output that cannot be written, such as on a full disk: what else was computed is kept."""


class FitError(FlavorframeError, RuntimeError):
    """A fit that is not valid; the text says why."""


class SampleError(FlavorframeError, ValueError):
    """A sample that cannot be made as asked."""


class CorrectionError(FlavorframeError, ValueError):
    """A correction file, correction or input that is wrong."""


class ModelError(FlavorframeError, ValueError):
    """A trained model, its file or an input that is wrong."""


class FacilityError(FlavorframeError, RuntimeError):
    """A facility that cannot be started, asked or configured; the text says what to do."""


def needs(what: str, package: str, extra: str) -> str:
    """Return the text of an error: something needs a package of one of the extras.

    >>> needs("ff.parse", "formulate", "parse")
    "ff.parse needs formulate: run pip install 'flavorframe[parse]'."
    """
    return f"{what} needs {package}: run pip install 'flavorframe[{extra}]'."


def did_you_mean(name: str, valid: Iterable[str], *, count: int = 4, cutoff: float = 0.6) -> str:
    """Return " Did you mean ...?" with the valid names nearest to ``name``, or an empty string.

    Case and underscores are ignored when names are compared; ``cutoff`` is how alike two names are
    at least, from 0 to 1.

    >>> did_you_mean("triplet_Mas", ["Triplet2_Mass", "Mu01_Pt"])
    " Did you mean 'Triplet2_Mass'?"
    """
    folded: dict[str, list[str]] = {}
    for candidate in valid:
        folded.setdefault(_fold(candidate), []).append(candidate)
    close = difflib.get_close_matches(_fold(name), folded, n=count, cutoff=cutoff)
    names = [repr(original) for key in close for original in folded[key]][:count]
    if not names:
        return ""
    return (
        f" Did you mean {' or '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)}?"
    )


def _fold(name: str) -> str:
    return name.replace("_", "").lower()
