"""What is known to give the same answer to the same arguments, wherever and whenever it is called.

A list of what reads files, clocks or random numbers would never be complete, so this is one of
what does not: what is not on it is not known to be pure.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import types
from functools import lru_cache
from typing import Any

import numpy as np

BUILTINS = """
abs all any bool bytes callable chr complex dict divmod enumerate filter float frozenset int
isinstance issubclass iter len list map max min next ord pow range reversed round set slice sorted
str sum tuple zip
"""
NUMPY = """
all allclose amax amin any append apply_along_axis apply_over_axes arange argmax argmin argpartition
argsort argwhere around array array_equal array_split asanyarray asarray ascontiguousarray
asfortranarray atleast_1d atleast_2d atleast_3d average bincount bool_ broadcast_arrays broadcast_to
byte c_ choose clip column_stack complex128 complex64 compress concat concatenate convolve copy
copyto corrcoef correlate count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum
delete diag diagonal diff digitize dot double dstack dtype ediff1d einsum empty empty_like errstate
expand_dims extract eye finfo fix flatnonzero flip fliplr flipud float16 float32 float64 floating
frombuffer fromfunction fromiter full full_like generic geomspace gradient heaviside histogram
histogram2d histogram_bin_edges histogramdd hsplit hstack i0 identity iinfo imag in1d inner insert
int16 int32 int64 int8 int_ intc integer interp intersect1d intp isclose iscomplexobj isin isneginf
isposinf isrealobj isscalar ix_ kron lexsort linspace logspace mask_indices max mean median meshgrid
min moveaxis nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
nanpercentile nanprod nanquantile nanstd nansum nanvar ndarray ndenumerate ndim ndindex nonzero
number ones ones_like outer pad partition percentile permute_dims piecewise place poly1d polyfit
polyval prod promote_types ptp put put_along_axis putmask quantile r_ ravel ravel_multi_index real
repeat require reshape resize result_type rint roll rollaxis roots rot90 round searchsorted select
setdiff1d setxor1d shape sinc single size sort split squeeze stack std sum swapaxes take
take_along_axis tensordot tile trace transpose trapezoid trapz tri tril tril_indices trim_zeros triu
triu_indices uint16 uint32 uint64 uint8 union1d unique unique_counts unique_inverse unique_values
unravel_index unstack unwrap vander var vdot vectorize vsplit vstack where zeros zeros_like
"""
OTHERS = {
    "bisect": "bisect bisect_left bisect_right",
    "cmath": "*",
    "functools": "partial reduce",
    "itertools": """
accumulate chain combinations combinations_with_replacement compress cycle dropwhile filterfalse
groupby islice pairwise permutations product repeat starmap takewhile zip_longest
""",
    "math": "*",
    "numpy.fft": """
fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft rfft rfftfreq
""",
    "numpy.linalg": """
cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_power matrix_rank norm pinv qr slogdet
solve svd
""",
    "operator": """
abs add and_ eq floordiv ge getitem gt index inv invert le lshift lt matmul mod mul ne neg not_ or_
pos pow rshift sub truediv truth xor
""",
}
"""Functions and types by module; ``*`` stands for all of its functions."""
UFUNCS = ("numpy", "scipy.special")
"""Modules whose ufuncs are pure."""
ATTRIBUTES = frozenset(
    """
T accumulate add all any append argmax argmin argpartition argsort astype at bit_length bits
byteswap choose clip compress conj conjugate copy count cumprod cumsum decode diagonal difference
discard dot dtype encode endswith eps extend fields fill flat flatten get imag index insert
intersection is_integer isdigit isdisjoint issubset issuperset item items itemsize join keys kind
lower lstrip mT max mean min names nbytes ndim newbyteorder nonzero outer partition pop prod ptp put
ravel real reduce reduceat remove repeat replace reshape resolution reverse round rsplit rstrip
searchsorted setdefault shape size smallest_normal sort split squeeze startswith std strip sum
swapaxes symmetric_difference take tiny tobytes tolist trace transpose union update upper values var
view zfill
""".split()  # noqa: SIM905
)
"""Attributes of arrays, numbers, texts and containers that tell of these alone."""


def pure_name(value: Any) -> str | None:
    """Return the module and name of what is known to be pure, None for anything else."""
    if isinstance(value, np.ufunc):
        return _ufunc_name(value)
    known = _listed().get(id(value))
    if known is not None and known[1] is value:
        return known[0]
    return None


def _ufunc_name(value: np.ufunc) -> str | None:
    """Return the name of a library's ufunc; one that was made of a function has no such name."""
    for module in UFUNCS:
        if getattr(sys.modules.get(module), value.__name__, None) is value:
            return f"{module}.{value.__name__}"
    return None


@lru_cache(maxsize=1)
def _listed() -> dict[int, tuple[str, Any]]:
    """Return what is listed by its number, which stays: what is listed is kept here."""
    places = {"builtins": BUILTINS, "numpy": NUMPY, **OTHERS}
    found = {}
    for module, names in places.items():
        for name in _functions(module) if names == "*" else names.split():
            value = getattr(importlib.import_module(module), name, None)
            if value is not None and _is_of(value, module):
                found[id(value)] = f"{module}.{name}", value
    for name, value in vars(builtins).items():
        if isinstance(value, type) and issubclass(value, BaseException):
            found[id(value)] = f"builtins.{name}", value
    return found


def _functions(module: str) -> list[str]:
    content = vars(importlib.import_module(module))
    return [n for n, value in content.items() if isinstance(value, types.BuiltinFunctionType)]


def _is_of(value: Any, module: str) -> bool:
    """Return whether a value is of a module, and not a user's that was put in its place."""
    home = str(getattr(value, "__module__", None) or type(value).__module__)
    return home.partition(".")[0].lstrip("_") == module.partition(".")[0]
