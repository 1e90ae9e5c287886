"""Mass models, their fits to histograms, and toy studies of the fits.

>>> from flavorframe import fit
>>> [component.name for component in fit.dsphi().components]
['Ds', 'D+', 'background']
"""

from flavorframe.fit.channels import dsphi
from flavorframe.fit.components import Component, CrystalBall, Exponential, Gaussian
from flavorframe.fit.model import MassModel, Stage
from flavorframe.fit.parameter import Parameter
from flavorframe.fit.result import FitResult, FittedParameter, Yield
from flavorframe.fit.toys import PullSummary, ToyStudy

__all__ = [
    "Component",
    "CrystalBall",
    "Exponential",
    "FitResult",
    "FittedParameter",
    "Gaussian",
    "MassModel",
    "Parameter",
    "PullSummary",
    "Stage",
    "ToyStudy",
    "Yield",
    "dsphi",
]
