"""Decays as physicists write them: ``Ds+ -> phi(-> mu+ mu-) pi+``.

A particle that decays further is followed by its decay in brackets, with the arrow first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flavorframe.errors import ExpressionError
from flavorframe.physics import find_particle

if TYPE_CHECKING:
    from particle import Particle

TOKEN = re.compile(
    r"\s*(?P<opening>\(\s*->)|\s*(?P<arrow>->)(?=\s|$)|\s*(?P<closing>\))"
    r"|\s*(?P<name>(?:[^\s()]|\((?!\s*->)[^\s()]*\))+)|\s*(?P<other>\S)"
)
"""A name may have brackets of its own, as ``D(s)+`` and ``K*(892)0`` have."""


@dataclass(frozen=True)
class Decaying:
    """A particle, with what it decays into; without products it is not followed further."""

    particle: Particle
    products: tuple[Decaying, ...] = ()

    @property
    def final(self) -> Iterator[Decaying]:
        """The particles that are not followed further, in the order in which they are written."""
        if not self.products:
            yield self
        for each in self.products:
            yield from each.final


def read_decay(text: str) -> Decaying:
    """Return the decay that a text describes.

    Raises ExpressionError where it describes none; the message says at which place.

    >>> [each.particle.name for each in read_decay("Ds+ -> phi(-> mu+ mu-) pi+").final]
    ['mu+', 'mu-', 'pi+']
    """
    if not isinstance(text, str):
        raise ExpressionError(f"A decay is a text such as 'J/psi -> mu+ mu-', not {text!r}.")
    reader = _Reader(text)
    mother = reader.particle()
    reader.expect("arrow", "the arrow '->'")
    decay = _checked(text, Decaying(mother, reader.products()))
    reader.expect("", "the end")
    return decay


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*TOKEN.finditer(text)]
        self._place = 0

    @property
    def _kind(self) -> str:
        return self._tokens[self._place].lastgroup or "" if self._has_more else ""

    @property
    def _has_more(self) -> bool:
        return self._place < len(self._tokens)

    def refuse(self, problem: str) -> ExpressionError:
        """Return the error of what stands at this place."""
        start = self._tokens[self._place].start() if self._has_more else len(self._text)
        before, rest = self._text[:start].rstrip(), self._text[start:].strip()
        return ExpressionError(
            f"Decay {self._text!r}: {problem}, {f'after {before!r}' if before else 'at the start'}"
            f"{f', where {rest!r} stands' if rest else ', where it ends'}. A decay is written as "
            "'Ds+ -> phi(-> mu+ mu-) pi+'."
        )

    def expect(self, kind: str, what: str) -> None:
        """Go past a token of a kind, "" for the end; raises ExpressionError where it is another."""
        if self._kind != kind:
            raise self.refuse(f"here {what} should be")
        self._place += 1

    def particle(self) -> Particle:
        """Read the name of a particle."""
        if self._kind != "name":
            raise self.refuse("here the name of a particle should be")
        try:
            found = find_particle(self._tokens[self._place]["name"])
        except ExpressionError as error:
            raise self.refuse(str(error).rstrip(".")) from None
        self._place += 1
        return found

    def products(self) -> tuple[Decaying, ...]:
        """Read two products or more, with what they decay into."""
        found: list[Decaying] = []
        while self._kind == "name":
            particle = self.particle()
            below: tuple[Decaying, ...] = ()
            if self._kind == "opening":
                self._place += 1
                below = self.products()
                self.expect("closing", "the closing bracket ')' of its products")
            found.append(_checked(self._text, Decaying(particle, below)))
        if len(found) < 2:
            raise self.refuse("here another product should be")
        return tuple(found)


def _checked(text: str, decay: Decaying) -> Decaying:
    """Return the decay; raises ExpressionError where the charges do not add up."""
    charges = [each.particle.three_charge for each in decay.products]
    if decay.products and sum(charges) != decay.particle.three_charge:
        names = " ".join(each.particle.name for each in decay.products)
        raise ExpressionError(
            f"Decay {text!r}: the charge of {decay.particle.name} is "
            f"{decay.particle.three_charge / 3:+g}, and that of {names} is {sum(charges) / 3:+g}."
        )
    return decay
