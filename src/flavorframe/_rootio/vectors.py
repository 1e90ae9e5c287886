"""The components of ROOT's vectors, by the names that physicists use: ``fP.fX`` is ``px``.

A vector is stored as an object, whose members are private and called otherwise in each class.
"""

from __future__ import annotations

import re

_SPACE = {"fX": "x", "fY": "y", "fZ": "z"}
_MOMENTUM = {"fP.fX": "px", "fP.fY": "py", "fP.fZ": "pz", "fE": "energy"}
_COORDINATES = {"fPt": "pt", "fEta": "eta", "fPhi": "phi", "fRho": "rho", "fR": "r",
                "fTheta": "theta"}  # fmt: skip
_FOUR_COORDINATES = _COORDINATES | {"fX": "px", "fY": "py", "fZ": "pz", "fM": "mass",
                                    "fE": "energy", "fT": "energy"}  # fmt: skip
COMPONENTS = frozenset((*_SPACE.values(), *_FOUR_COORDINATES.values()))
"""All components."""
_PLAIN = {"TLorentzVector": _MOMENTUM, "TVector3": _SPACE, "TVector2": _SPACE}
_MATH = re.compile(r"ROOT::Math::(LorentzVector|(?:Displacement|Position)Vector[23]D) ?<.*>")


def is_vector(classname: str) -> bool:
    """Return whether a class is one of ROOT's vectors."""
    return classname in _PLAIN or _MATH.fullmatch(classname) is not None


def component(classname: str, member: str) -> str:
    """Return what a member of a vector is; an empty string where the class has none of that name.

    >>> component("TLorentzVector", "fP.fX"), component("TVector3", "fZ")
    ('px', 'z')
    >>> component("ROOT::Math::LorentzVector<ROOT::Math::PtEtaPhiM4D<float>>", "fCoordinates.fM")
    'mass'
    """
    if classname in _PLAIN:
        return _PLAIN[classname].get(member, "")
    found = _MATH.fullmatch(classname)
    if found is None or not member.startswith("fCoordinates."):
        return ""
    names = _FOUR_COORDINATES if found[1] == "LorentzVector" else _COORDINATES | _SPACE
    return names.get(member.removeprefix("fCoordinates."), "")
