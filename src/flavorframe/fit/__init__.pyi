"""The names of ``flavorframe.fit``, as in ``flavorframe``."""

from .backgrounds import (
    Argus as Argus,
    Bernstein as Bernstein,
    Chebyshev as Chebyshev,
    Threshold as Threshold,
)
from .channels import dsphi as dsphi
from .combined import Convolved as Convolved, Sum as Sum
from .components import (
    Component as Component,
    CrystalBall as CrystalBall,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .formula import Formula as Formula
from .model import MassModel as MassModel, Stage as Stage
from .parameter import (
    Constraint as Constraint,
    FittedParameter as FittedParameter,
    Parameter as Parameter,
    Yield as Yield,
)
from .peaks import (
    DoubleCrystalBall as DoubleCrystalBall,
    JohnsonSU as JohnsonSU,
    StudentT as StudentT,
    Voigt as Voigt,
)
from .result import FitResult as FitResult
from .templates import Template as Template
from .toys import PullSummary as PullSummary, ToyStudy as ToyStudy
