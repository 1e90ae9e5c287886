"""What a branch holds: one value an event, lists, or objects whose members are such values.

``of_dtype`` finds it out of the numpy type of fixed entries, ``of_form`` out of the awkward form
that uproot gives of everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flavorframe._rootio.schema import BranchInfo
from flavorframe._rootio.vectors import component, is_vector

Dims = tuple[int | None, ...]
"""Of lists within each other: their lengths, the outermost first; None where they vary."""

KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool"}
_CPP = {"float32": "float", "float64": "double", "bool": "bool"}
NO_VALUE = "the file has no value of its objects"
_SEVERAL_TYPES = "each of its values may be of another type"


@dataclass(frozen=True)
class Values:
    """Values in a branch: all of it, or those of a member of the objects that it holds.

    Attributes:
        member: The names that lead to them, from the outermost object.
        called: The same, with a component of a vector by its usual name; see `vectors`.
        kind: As in `BranchInfo`.
        type: The type of one of them in C++.
        dims: The lists that they are in.
        why: Why they cannot be read, where they cannot.
    """

    member: tuple[str, ...]
    called: tuple[str, ...]
    kind: str
    type: str
    dims: Dims
    why: str = ""

    @property
    def typename(self) -> str:
        """Their type in C++, with their lists."""
        return self.type + "".join("[]" if dim is None else f"[{dim}]" for dim in self.dims)

    def info(self, name: str, typename: str = "", counter: str | None = None) -> BranchInfo:
        """Return what layouts see of them."""
        shape = ("scalar", "list", "nested")[min(len(self.dims), 2)]
        length = self.dims[0] if shape == "list" else None
        return BranchInfo(
            name, typename or self.typename, self.kind, shape, counter, why=self.why,
            member=self.member, length=length,
        )  # fmt: skip


def kind_of(dtype: np.dtype[Any]) -> str:
    """Return the kind of numbers or truth values of a type."""
    return "unsigned" if dtype == np.uint64 else KINDS.get(dtype.kind, "other")


def of_dtype(
    dtype: np.dtype[Any], dims: Dims = (), member: tuple[str, ...] = ()
) -> Iterator[Values]:
    """Yield what entries of a numpy type hold, in lists of the given lengths."""
    if dtype.subdtype is not None:
        yield from of_dtype(dtype.base, (*dims, *dtype.shape), member)
    elif dtype.names is not None:
        for name in dtype.names:
            yield from of_dtype(dtype[name], dims, (*member, name))
    else:
        yield Values(member, member, kind_of(dtype), _CPP.get(dtype.name, f"{dtype.name}_t"), dims)


def of_form(
    form: Any, member: tuple[str, ...] = (), dims: Dims = (), vector: tuple[str, int] = ("", 0)
) -> Iterator[Values]:
    """Yield what an awkward form holds, from the outside in.

    A value that may be missing is a list of none or one. ``member`` and ``dims`` lead to the form;
    ``vector`` is the class of vector that it is in, and how many names lead to that.
    """
    if form.is_record:
        named = form.parameter("__record__") or ""
        begins = (named, len(member)) if is_vector(named) and not vector[0] else vector
        for field, content in zip(fields_of(form), form.contents, strict=True):
            if not field.startswith("@"):  # what uproot adds of objects' headers
                yield from of_form(content, (*member, field), dims, begins)
    elif form.is_union:
        yield Values(member, member, "other", "std::variant", dims, _SEVERAL_TYPES)
    elif form.parameter("__array__") in ("string", "bytestring"):
        yield Values(member, member, "string", "std::string", dims)
    elif form.is_option or form.is_list:
        size = form.size if form.is_regular else None
        yield from of_form(form.content, member, (*dims, size), vector)
    elif form.is_indexed:
        yield from of_form(form.content, member, dims, vector)
    elif form.is_numpy:
        called = called_in(vector[0], vector[1], member)
        for values in of_dtype(np.dtype(form.primitive), (*dims, *form.inner_shape), member):
            yield replace(values, called=called)


def called_in(vector: str, begin: int, member: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that lead to a member, with a component of a vector by its usual name.

    ``begin`` of them lead to the vector, which is of a class of that name.
    """
    short = component(vector, ".".join(member[begin:]))
    return (*member[:begin], short) if short else member


def fields_of(record: Any) -> list[str]:
    """Return the names of a record's members; what awkward numbers is called as in C++.

    ``record`` is an awkward form or array.
    """
    fields: list[str] = record.fields
    return ["first", "second"] if record.is_tuple and len(fields) == 2 else fields
