"""Parameters: what they refuse, and how a component sees one."""

import math

import pytest

from flavorframe.errors import FitError
from flavorframe.fit import Parameter


@pytest.mark.parametrize("limits", [(2.0, 3.0), (0.0, 0.5), (1.0, math.inf), (math.nan, 2.0)])
def test_start_must_be_within_finite_limits(limits):
    with pytest.raises(FitError, match=r"'width' starts at 1, which is not within its limits"):
        Parameter("width", 1.0, limits=limits)


def test_start_must_be_a_number():
    with pytest.raises(FitError, match="starts at nan"):
        Parameter("width", math.nan, limits=(0, 1))


def test_times_multiplies_what_a_component_sees():
    seen = Parameter("width", 1.0, limits=(0, 2)).times(0.5).times(0.5)
    assert (seen.name, seen.start, seen.factor) == ("width", 1.0, 0.25)
