"""Ready-made models of the channels that flavour analyses use."""

from __future__ import annotations

from flavorframe.fit.components import CrystalBall, Exponential
from flavorframe.fit.model import MassModel
from flavorframe.fit.parameter import Parameter
from flavorframe.fit.stage import Stage

#: Masses [GeV]. Source: Review of Particle Physics (2024).
DS_MASS, DPLUS_MASS = 1.96835, 1.86966


def dsphi() -> MassModel:
    """Return the model of Ds⁺ → φ(μμ)π⁺: Ds⁺ and D⁺ peaks over an exponential, 1.65–2.01 GeV.

    Two peaks fitted each for itself have eight shape parameters, which no sample of realistic size
    determines. Free here is what data can tell: the yields, one mass scale ``mean`` (of the Ds),
    one resolution ``sigma``, and the ``slope`` of the background.

    - The D⁺ is the Ds times the ratio of their known masses, in mean and in width: both come from
      the same tracks, so scale and relative resolution are the same. A weak D⁺ cannot drift away.
    - The tail parameters are shared and fixed, ``alpha`` = 2 and ``n`` = 3. A tail of a few per
      cent of the peak cannot be told from background: with ``alpha`` free and 5000 Ds over 63000
      background, four fits in ten push it to a limit. The values are a convention, not a
      measurement; the cut on the φ mass removes hard radiation, hence a small tail. With ``alpha``
      at 1.5 or 2.5 the Ds yield of such a sample moves by +6 % or −2 %, its error is 3 %: take the
      values from simulation, and vary them for a systematic uncertainty.
    - Signal yields may be negative, so that the mean of many fits is unbiased.

    The stages find where to start: the background in the sidebands, then each peak in its window
    (1.93–2.01, 1.83–1.89 GeV) over that background. Source of windows and range: the public
    analysis notebook fsimone91/BPH_interactive_analysis.

    Example:
        To take the tail from simulation, fit it to simulated Ds, and data with what that found.

        >>> simulated = dsphi().only("Ds").change("alpha", fixed=False)
        >>> model = dsphi().change("alpha", start=1.8)
        >>> model.parameters["alpha"].fixed
        True
    """
    mean = Parameter("mean", DS_MASS, limits=(1.94, 2.00), unit="GeV")
    sigma = Parameter("sigma", 0.012, limits=(0.003, 0.040), unit="GeV")
    tail = (
        Parameter("alpha", 2.0, limits=(0.5, 4.0), fixed=True),
        Parameter("n", 3.0, limits=(1.01, 50.0), fixed=True),
    )
    slope = Parameter("slope", -1.0, limits=(-20.0, 20.0), unit="1/GeV")
    ratio = DPLUS_MASS / DS_MASS
    return MassModel(
        components=(
            CrystalBall("Ds", mean, sigma, *tail, title="$D_s^+$"),
            CrystalBall("D+", mean.times(ratio), sigma.times(ratio), *tail, title="$D^+$"),
            Exponential("background", slope, title="Background"),
        ),
        range=(1.65, 2.01),
        stages=(
            Stage("background", ((1.65, 1.84), (1.89, 1.925), (1.99, 2.01))),
            Stage("Ds", ((1.93, 2.01),)),
            Stage("D+", ((1.83, 1.89),)),
        ),
    )
