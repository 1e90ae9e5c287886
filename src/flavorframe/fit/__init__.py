"""Mass models, their fits to histograms, and toy studies of the fits.

What it offers is listed in ``__init__.pyi``, and loaded when first used. In the order of the
imports, the highest first:

- ``channels``: ready-made models, such as `dsphi`.
- ``joint``: `JointModel`, models of several spectra that share parameters, and what it finds.
- ``model``: `MassModel`, the sum of components that is fitted.
- ``minimiser``, ``problems``: how Minuit is used, and what can be wrong with what it finds.
- ``result``, ``fitted``: `FitResult`, and what it has in common with results of joint fits.
- ``discrete``: envelopes of several models. ``impacts``, ``scans``, ``toys``, ``hs3``: what else is
  done with a result.
- ``weighting``: errors of fits to weighted candidates.
- ``_tables``, ``_plot``, ``_plot_studies``, ``_plot_toys``: how all this is shown; a column of a
  table goes there.
- ``likelihood``: models on their data, with constraints, as Minuit minimises them.
- ``binned``, ``unbinned``: histograms and masses of candidates, checked, as what is fitted to.
- ``components``, ``peaks``, ``backgrounds``, ``combined``, ``templates``: the shapes. A new one is
  a class there, a name in ``__init__.pyi``, and a function in ``hs3`` if HS3 has it.
- ``parameter``, ``formula``: parameters before and after the fit, and expressions of them.

>>> from flavorframe import fit
>>> [component.name for component in fit.dsphi().components]
['Ds', 'D+', 'background']
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
