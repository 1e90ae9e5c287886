"""The names of ``flavorframe.fit``, as in ``flavorframe``."""

from .backgrounds import (
    Argus as Argus,
    Bernstein as Bernstein,
    Chebyshev as Chebyshev,
    Threshold as Threshold,
)
from .blind import BlindModel as BlindModel, BlindResult as BlindResult
from .channels import dsphi as dsphi
from .combined import Convolved as Convolved, Sum as Sum
from .components import (
    Component as Component,
    CrystalBall as CrystalBall,
    Exponential as Exponential,
    Gaussian as Gaussian,
)
from .control import ControlWeights as ControlWeights
from .discrete import Envelope as Envelope, envelope as envelope
from .formula import Formula as Formula, Term as Term
from .impacts import Impact as Impact, Impacts as Impacts
from .joint import JointModel as JointModel, JointResult as JointResult
from .model import MassModel as MassModel
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
from .scans import Contour as Contour, Scan as Scan
from .stage import Stage as Stage
from .templates import Template as Template
from .toys import (
    GoodnessOfFit as GoodnessOfFit,
    PullSummary as PullSummary,
    ToyStudy as ToyStudy,
)
