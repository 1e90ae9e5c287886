"""Categories: conditions by name, of which the first that holds says where a candidate belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.formula import brief
from flavorframe._expr.strings import refuse_string
from flavorframe.errors import AnalysisError, ExpressionError, did_you_mean


@dataclass(frozen=True)
class Categories:
    """Conditions by name; made by `categories`."""

    node: n.Category

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the categories, in order."""
        return self.node.names

    @property
    def number(self) -> Expr:
        """The number of the category, counted from 0; that of all categories where none fits."""
        return Expr(self.node)

    def __getitem__(self, name: str) -> Expr:
        """Return the condition of a category; raises AnalysisError for none of that name."""
        if name not in self.names:
            raise AnalysisError(
                f"There is no category {name!r}.{did_you_mean(name, self.names)} There are "
                f"{', '.join(self.names)}."
            )
        return Expr(self.node.conditions[self.names.index(name)])

    def __repr__(self) -> str:
        lines = (
            f"  {a}: {brief(c)}" for a, c in zip(self.names, self.node.conditions, strict=True)
        )
        return "\n".join(["Categories", *lines])


def categories(conditions: Mapping[str, Operand] | None = None, /, **named: Operand) -> Categories:
    """Sort candidates into categories; each belongs to the first whose condition holds.

    Give it to ``by=`` of `flavorframe.Region`. A run tells how many candidates fit several
    categories, and how many fit none: these are in the overflow of the histograms' axis.

    Args:
        conditions: The conditions by name, where names are not names of Python.
        **named: Others: one truth value per candidate or event each.

    Raises:
        AnalysisError: There is none, or a name comes twice.
        ExpressionError: A condition is a string or a constant, or they are on two collections.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> ff.categories(barrel=abs(t.eta) < 1.2, endcap=abs(t.eta) >= 1.2)
        Categories
          barrel: |triplet.eta| < 1.2
          endcap: |triplet.eta| ≥ 1.2
    """
    given = {**(conditions or {}), **named}
    if not given or len(given) < len(conditions or {}) + len(named):
        raise AnalysisError("ff.categories() takes conditions, each under a name of its own.")
    nodes = {name: as_node(condition) for name, condition in given.items()}
    for name, node in nodes.items():
        if isinstance(node, n.Literal):
            raise ExpressionError(
                f"Category {name!r} is the constant {node.value!r}, no condition."
            )
        refuse_string(node, f"Category {name!r}", "conditions")
    return Categories(n.Category(tuple(nodes), tuple(nodes.values())))
