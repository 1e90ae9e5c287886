"""Reductions: one value for each event, made of the values of its elements.

This table says what the language must know of each. How they are computed is said by the engines:
``engines/_columnar/segments.py`` and ``engines/_rdataframe/cpp/reductions.h``.
"""

from __future__ import annotations

from dataclasses import dataclass

SAME_KIND = "the operand's"
TOTAL = "whole number for truth values"


@dataclass(frozen=True)
class Reduction:
    """What is known of a reduction.

    ``kind`` of the result: "bool", "int", `SAME_KIND` as the operand's, or `TOTAL`, which differs
    from that in counting truth values. ``may_be_missing`` says whether an event without elements
    has no value. ``takes_strings`` says whether it hands on values without computing with them.
    """

    kind: str
    may_be_missing: bool = False
    takes_strings: bool = False

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
