"""Parts of momenta that follow from others: where a file has px, py and pz, it has pt, η and φ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flavorframe._expr import nodes as n

ENERGIES = ("energy", "e", "pe")
"""How files call an energy."""


def _pt(px: n.Node, py: n.Node) -> n.Node:
    return n.Apply("hypot", (px, py))


def _phi(px: n.Node, py: n.Node) -> n.Node:
    return n.Apply("arctan2", (py, px))


def _eta(pz: n.Node, pt: n.Node) -> n.Node:
    return n.Apply("arcsinh", (n.Apply("divide", (pz, pt)),))


def _eta_of_components(px: n.Node, py: n.Node, pz: n.Node) -> n.Node:
    return _eta(pz, _pt(px, py))


def _itself(value: n.Node) -> n.Node:
    return value


def _mass(*components: n.Node) -> n.Node:
    return n.Apply("mass_of_components", components)


RULES: Mapping[str, Sequence[tuple[tuple[str, ...], Callable[..., n.Node]]]] = {
    "pt": [(("px", "py"), _pt)],
    "eta": [(("pz", "pt"), _eta), (("px", "py", "pz"), _eta_of_components)],
    "phi": [(("px", "py"), _phi)],
    "mass": [(("m",), _itself), *((("px", "py", "pz", energy), _mass) for energy in ENERGIES)],
}
"""From what a name follows, and how; the first that a file has is taken."""


def derived(field: n.Field, has: Callable[[tuple[str, ...]], bool]) -> n.Node | None:
    """Return what a name stands for that the file has in other components, if it does.

    Args:
        field: The name.
        has: Whether the file has a branch for a name of the same collection.
    """
    *owner, name = field.path
    for needed, make in RULES.get(name, ()):
        paths = [(*owner, each) for each in needed]
        if all(map(has, paths)):
            return make(*(n.Field(field.on, path) for path in paths))
    return None
