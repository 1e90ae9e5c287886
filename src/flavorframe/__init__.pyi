"""The names of flavorframe: static tools read them here, and so does the lazy import."""

from . import fit as fit, report as report, samples as samples
from ._data_quality.certified import certified as certified
from ._data_quality.prescales import prescale as prescale
from ._data_quality.tallies import duplicates as duplicates, lumi_sections as lumi_sections
from ._expr.categories import categories as categories
from ._expr.combinations import pairs as pairs, triples as triples
from ._expr.concatenation import concatenate as concatenate
from ._expr.corrections import correction as correction, pile_up_weights as pile_up_weights
from ._expr.cut_strings import parse as parse
from ._expr.expression import Expr as Expr
from ._expr.functions import (
    arccos as arccos,
    arccosh as arccosh,
    arcsin as arcsin,
    arcsinh as arcsinh,
    arctan as arctan,
    arctan2 as arctan2,
    arctanh as arctanh,
    ceil as ceil,
    cos as cos,
    cosh as cosh,
    exp as exp,
    floor as floor,
    hypot as hypot,
    log as log,
    log10 as log10,
    maximum as maximum,
    minimum as minimum,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    tan as tan,
    tanh as tanh,
    where as where,
)
from ._expr.models import model as model
from ._expr.samples import is_simulation as is_simulation, sample as sample
from ._expr.units import GeV as GeV, MeV as MeV, cm as cm, mm as mm, um as um
from ._expr.user_functions import cpp as cpp, function as function
from ._expr.variations import vary as vary
from ._rootio.own_process import tune_process as tune_process
from ._run.batch.htcondor import HTCondor as HTCondor
from ._run.batch.slurm import Slurm as Slurm
from ._run.detached.run import Run as Run, attach as attach
from ._shipping.extra_files import delivered as delivered
from .analysis import Analysis as Analysis
from .averages import mean as mean
from .catalogue import catalog as catalog
from .certificate import Certificate as Certificate, certify as certify
from .datasets import Catalog as Catalog, Dataset as Dataset, dataset as dataset, friend as friend
from .decays import (
    Dalitz as Dalitz,
    cos_helicity as cos_helicity,
    dalitz as dalitz,
    decay_time as decay_time,
)
from .errors import FlavorframeError as FlavorframeError
from .four_vectors import FourVector as FourVector, p4 as p4
from .inspection import inspect as inspect
from .layouts.declaring import layout as layout
from .layouts.events import events as events
from .outputs import axis as axis, hist as hist, snapshot as snapshot
from .physics import (
    KAON_MASS as KAON_MASS,
    MUON_MASS as MUON_MASS,
    PION_MASS as PION_MASS,
    cos2d as cos2d,
    cos3d as cos3d,
    delta_phi as delta_phi,
    delta_r as delta_r,
    mass as mass,
    particle_mass as particle_mass,
    transverse_mass as transverse_mass,
)
from .regions import Region as Region
from .result import Result as Result, Results as Results
from .result._loading import load as load
from .result.efficiency import efficiency_map as efficiency_map
from .selection import Selection as Selection
from .skims import skim as skim
from .truth import ancestors as ancestors, children as children, truth_matched as truth_matched

__version__: str
