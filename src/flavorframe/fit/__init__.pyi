"""The names of ``flavorframe.fit``, as in ``flavorframe``."""

from .channels import dsphi as dsphi
from .components import (
    Component as Component,
    CrystalBall as CrystalBall,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .model import MassModel as MassModel, Stage as Stage
from .parameter import Parameter as Parameter
from .result import FitResult as FitResult, FittedParameter as FittedParameter, Yield as Yield
from .toys import PullSummary as PullSummary, ToyStudy as ToyStudy
