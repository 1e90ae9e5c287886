"""Trained models as expressions hold them: the same in every process."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from flavorframe._models import formats
from flavorframe._models.evaluator import Array, Evaluator
from flavorframe._shipping.extra_files import by_digest
from flavorframe.errors import FlavorframeError, ModelError


@dataclass(frozen=True)
class Model:
    """One output of a trained model.

    It is known by its content, so that a changed file is another model, and by the version of the
    library that evaluates it, as others may give other last bits.

    Attributes:
        name: What formulas call it, with the output's name where there are several.
        inputs: The names of the inputs, none where it has none.
        path: Its file, or what it was made of.
        digest: The SHA-256 of the content.
        format: Its kind, of `formats.FORMATS`.
        library: What evaluates it, with its version.
        output: Which output.
        content: The content of what has no file.
    """

    name: str
    inputs: tuple[str, ...]
    path: str
    digest: str
    format: str
    library: str
    output: int
    content: bytes | None = None

    @classmethod
    def of(cls, given: Any, output: int | str | None) -> Model:
        """Open a file, or take an object of Python; see `flavorframe.model`."""
        if isinstance(given, str | os.PathLike):
            path = str(Path(given).expanduser().resolve())
            kind, content, held = formats.format_of_file(path), bytes_of(path), None
        else:
            path = type(given).__name__
            kind, content = formats.of_object(given)
            held = content
        digest, library = sha256(content).hexdigest(), formats.library_of(kind, path)
        with _OPENING:
            evaluator = _opened(path, digest, kind, library, held)
        place = evaluator.position(output, path)
        name = Path(path).stem.removesuffix(".weights")
        if len(evaluator.outputs) > 1:
            name = f"{name}[{evaluator.outputs[place]}]"
        return cls(name, evaluator.inputs, path, digest, kind, library, place, held)

    @property
    def evaluator(self) -> Evaluator:
        """The opened model.

        Raises ModelError where the file has changed, or the library is of another version.
        """
        with _OPENING:
            return _opened(self.path, self.digest, self.format, self.library, self.content)

    def identity(self) -> tuple[str, ...]:
        """Return what tells the values of this model from those of others, in every process."""
        return self.digest, self.format, self.library, str(self.output)

    def files(self) -> Mapping[str, str]:
        """Return the paths of the files that workers need, by digest."""
        return {} if self.content is not None else {self.digest: self.path}

    def compute(self, inputs: Sequence[Array]) -> Array:
        """Return the output, of shape (rows,), for inputs of that shape, some of them numbers."""
        try:
            return self.evaluator.column(inputs, self.output)
        except FlavorframeError:
            raise
        except Exception as error:  # whatever the library raises for inputs that it does not take
            said = str(error).partition("\n")[0]
            raise ModelError(f"{_described(inputs)}{self.library} says: {said}") from error

    def __repr__(self) -> str:
        return f"<model {self.name}({', '.join(self.inputs)}) of {self.path}>"


@dataclass(frozen=True)
class Folds:
    """Models of which each is for the events of its fold; the first input is the fold."""

    models: tuple[Model, ...]

    @property
    def name(self) -> str:
        """What formulas call it."""
        return f"{self.models[0].name} … {self.models[-1].name}"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, none where the models have none."""
        names = self.models[0].inputs
        return ("fold", *names) if names else ()

    def identity(self) -> tuple[str, ...]:
        """Return what tells the values of these models from those of others."""
        return tuple(part for model in self.models for part in model.identity())

    def files(self) -> Mapping[str, str]:
        """Return the paths of the files that workers need, by digest."""
        return {digest: path for model in self.models for digest, path in model.files().items()}

    def compute(self, inputs: Sequence[Array]) -> Array:
        """Return for each row what the model of its fold says."""
        size = max(np.size(values) for values in inputs)
        fold = np.broadcast_to(inputs[0], (size,))
        found = np.full(size, np.nan)
        for number, model in enumerate(self.models):
            rows = np.flatnonzero(fold == number)
            if len(rows):
                taken = [values[rows] if np.ndim(values) else values for values in inputs[1:]]
                found[rows] = model.compute(taken)
        outside = fold[~np.isin(fold, range(len(self.models)))]
        if len(outside):
            raise ModelError(
                f"an event is of fold {outside[0]:g}, and there are the models of folds 0 to "
                f"{len(self.models) - 1}: give ff.model one for each."
            )
        return found


AnyModel = Model | Folds
_OPENING = RLock()


@lru_cache(maxsize=32)
def _opened(path: str, digest: str, kind: str, library: str, content: bytes | None) -> Evaluator:
    here = formats.library_of(kind, path)
    if here != library:
        raise ModelError(
            f"{path} was opened with {library}, and this process has {here}, which may compute "
            "other last bits: install the same here."
        )
    if content is None:
        content = bytes_of(by_digest(digest) or path)
    if sha256(content).hexdigest() != digest:
        raise ModelError(f"{path} is another file than when ff.model() opened it: open it again.")
    return formats.FORMATS[kind].open(content, path)


def bytes_of(path: str) -> bytes:
    """Return the content of a model's file; raises ModelError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error.strerror}.") from None


def _described(inputs: Sequence[Array]) -> str:
    """Return which inputs are not numbers, which some libraries do not take."""
    nan = [str(place + 1) for place, values in enumerate(inputs) if np.isnan(values).any()]
    return f"Input {' and '.join(nan)} is NaN for some elements. " if nan else ""
