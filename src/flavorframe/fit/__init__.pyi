"""The names of ``flavorframe.fit``, as in ``flavorframe``."""

from .channels import dsphi as dsphi
from .components import (
    Component as Component,
    CrystalBall as CrystalBall,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .model import MassModel as MassModel, Stage as Stage
from .parameter import (
    FittedParameter as FittedParameter,
    Parameter as Parameter,
    Yield as Yield,
)
from .result import FitResult as FitResult
from .toys import PullSummary as PullSummary, ToyStudy as ToyStudy
