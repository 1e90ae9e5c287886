"""What code looks up outside of itself, and what it does that cannot be followed.

Nothing is run: instructions are read, once for each code.
"""

from __future__ import annotations

import dis
import inspect
import types
from dataclasses import dataclass, field
from functools import lru_cache

IDLE = frozenset(("CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL"))
ATTRIBUTE = frozenset(("LOAD_ATTR", "LOAD_METHOD"))
REFUSED = {
    "IMPORT_NAME": "imports {} when it is called",
    "STORE_GLOBAL": "sets the global {}",
    "DELETE_GLOBAL": "deletes the global {}",
    "STORE_ATTR": "sets an attribute {}",
    "DELETE_ATTR": "deletes an attribute {}",
    "LOAD_BUILD_CLASS": "defines a class",
}
"""What messages say of instructions that no function of its arguments alone needs."""
UNFOLLOWED = frozenset(("LOAD_BUILD_CLASS", "MATCH_CLASS"))
ASYNCHRONOUS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


@dataclass(frozen=True)
class Use:
    """A name from outside, global or of the function around it, and attributes taken of it."""

    name: str
    is_global: bool
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What is seen in code, and in the code within it.

    ``uses`` are in the order of the code; ``attributes`` are those of values that are known only
    when it runs; ``sets`` are variables of the function around it; ``doubts`` tell of the rest.
    """

    uses: tuple[Use, ...]
    attributes: frozenset[str]
    sets: frozenset[str]
    doubts: tuple[str, ...]


@dataclass
class _Notes:
    uses: dict[Use, None] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    doubts: dict[str, None] = field(default_factory=dict)


def seen_in(code: types.CodeType) -> Seen:
    """Return what is seen in code."""
    return _seen_in(code, code.co_flags)


@lru_cache(maxsize=4096)
def _seen_in(code: types.CodeType, flags: int) -> Seen:  # flags count for no equality of code
    notes = _Notes()
    if flags & ASYNCHRONOUS:
        notes.doubts["waits for others"] = None
    for instruction, attributes in _chains(code):
        _note(notes, code, instruction, attributes)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _merge(notes, code, seen_in(constant))
    uses, doubts = tuple(notes.uses), tuple(notes.doubts)
    return Seen(uses, frozenset(notes.attributes), frozenset(notes.sets), doubts)


def _chains(code: types.CodeType) -> list[tuple[dis.Instruction, list[str]]]:
    """Return the instructions, each with the attributes that are taken at once of what it loads."""
    found: list[tuple[dis.Instruction, list[str]]] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname in IDLE:
            continue
        follows = found and _outside(code, found[-1][0]) is not None
        if instruction.opname in ATTRIBUTE and follows and not instruction.is_jump_target:
            found[-1][1].append(instruction.argval)
        else:
            found.append((instruction, []))
    return found


def _outside(code: types.CodeType, instruction: dis.Instruction) -> Use | None:
    """Return what an instruction loads from outside, if it does."""
    if instruction.opname == "LOAD_GLOBAL":
        return Use(instruction.argval, is_global=True)
    if instruction.opname == "LOAD_DEREF" and instruction.argval in code.co_freevars:
        return Use(instruction.argval, is_global=False)
    return None


def _note(
    notes: _Notes, code: types.CodeType, instruction: dis.Instruction, attributes: list[str]
) -> None:
    name, outside = instruction.opname, _outside(code, instruction)
    if outside is not None:
        notes.uses[Use(outside.name, outside.is_global, tuple(attributes))] = None
    elif name in ATTRIBUTE:
        notes.attributes.add(instruction.argval)
    elif name in ("STORE_DEREF", "DELETE_DEREF"):
        notes.sets.update({instruction.argval}.intersection(code.co_freevars))
    elif instruction.opcode in dis.hasname or name in UNFOLLOWED:
        told = REFUSED.get(name, f"does what is not followed ({name})")
        notes.doubts[told.format(instruction.argval)] = None


def _merge(notes: _Notes, code: types.CodeType, inner: Seen) -> None:
    """Add what is seen in code within: its variables are of this code, or of what is around it."""
    for use in inner.uses:
        if use.is_global or use.name in code.co_freevars:
            notes.uses[use] = None
        else:
            notes.attributes.update(use.attributes)
    notes.attributes |= inner.attributes
    notes.sets |= inner.sets.intersection(code.co_freevars)
    notes.doubts.update(dict.fromkeys(inner.doubts))
