"""Units: numbers that mean the same length or energy in every file, whatever it is written in.

>>> from flavorframe import GeV, events
>>> events().triplet.mass > 1.6 * GeV
<triplet.mass > 1.6 GeV, one value per triplet>
>>> events().triplet.mass / GeV
<triplet.mass / GeV, one value per triplet>
"""

from __future__ import annotations

from decimal import Decimal

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr

ENERGIES = {"MeV": 6, "GeV": 9, "TeV": 12}
"""Units of energy, momentum and mass, as powers of ten [eV]."""
LENGTHS = {"um": -6, "mm": -3, "cm": -2, "m": 0}
"""Units of length, as powers of ten [m]."""


def converted(quantity: n.Quantity, energy: str, length: str) -> float:
    """Return the number that a quantity is in these units.

    >>> converted(n.Quantity(105.6583755, "MeV"), "GeV", "cm")
    0.1056583755
    """
    powers, unit = (ENERGIES, energy) if quantity.unit in ENERGIES else (LENGTHS, length)
    power = powers[quantity.unit] - powers[unit]
    # The decimal point is moved: a quotient would be another number than what one writes.
    return float(Decimal(repr(float(quantity.value))).scaleb(power))


GeV = Expr(n.Quantity(1.0, "GeV"))
"""One GeV, in the unit of energy of each file."""
MeV = Expr(n.Quantity(1.0, "MeV"))
"""One MeV, in the unit of energy of each file."""
cm = Expr(n.Quantity(1.0, "cm"))
"""One centimetre, in the unit of length of each file."""
mm = Expr(n.Quantity(1.0, "mm"))
"""One millimetre, in the unit of length of each file."""
um = Expr(n.Quantity(1.0, "um"))
"""One micrometre, in the unit of length of each file."""
