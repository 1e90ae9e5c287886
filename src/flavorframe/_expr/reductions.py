"""Reductions: one value for each event, or each list of a nested axis, made of its elements'.

This table has what the language must know of each. The engines have how they are computed:
``engines/_columnar/segments.py`` and ``engines/_rdataframe/cpp/reductions.h``.
"""

from __future__ import annotations

from dataclasses import dataclass

SAME_KIND = "the operand's"
TOTAL = "whole number for truth values"


@dataclass(frozen=True)
class Reduction:
    """The properties of a reduction.

    Attributes:
        kind: The kind of the result: "bool", "int", `SAME_KIND`, or `TOTAL`: the operand's too,
            but a whole number for truth values, of which it is the number that hold.
        may_be_missing: Whether an event without elements has no value.
        takes_strings: Whether the operand may be a string, since nothing is computed with it.
    """

    kind: str
    may_be_missing: bool = False
    takes_strings: bool = False

    @property
    def keeps_stored_type(self) -> bool:
        """Whether the result is one of the values, in the type in which the file stores them."""
        return self.kind == SAME_KIND

    def kind_of_result(self, kind: str) -> str:
        """Return the kind of the result from that of the operand."""
        if self.kind == TOTAL:
            return "int" if kind == "bool" else kind
        return kind if self.kind == SAME_KIND else self.kind


REDUCTIONS: dict[str, Reduction] = {
    "any": Reduction("bool"),
    "all": Reduction("bool"),
    "count": Reduction("int"),
    "size": Reduction("int", takes_strings=True),
    "sum": Reduction(TOTAL),
    "min": Reduction(SAME_KIND, may_be_missing=True),
    "max": Reduction(SAME_KIND, may_be_missing=True),
    "argmin": Reduction("int", may_be_missing=True),
    "argmax": Reduction("int", may_be_missing=True),
    "first": Reduction(SAME_KIND, may_be_missing=True, takes_strings=True),
}
"""Reductions by name; "count" counts where a condition holds, "size" all elements."""
