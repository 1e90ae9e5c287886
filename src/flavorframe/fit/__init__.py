"""Mass models, their fits to histograms, and toy studies of the fits.

What it offers is listed in ``__init__.pyi``, and loaded when first used. In the order of the
imports, the highest first:

- ``channels``: ready-made models, such as `dsphi`.
- ``model``: `MassModel`, the sum of components that is fitted.
- ``minimiser``, ``problems``: how Minuit is used, and what can be wrong with what it finds.
- ``result``: `FitResult`.
- ``toys``, ``hs3``: what is done with a result: toy studies, and files for RooFit.
- ``_tables``, ``_plot``, ``_plot_toys``: how all this is shown; a column of a table goes there.
- ``binned``: a histogram, checked, as what is fitted to.
- ``components``: peaks and backgrounds. A new shape is a class here, a name in ``__init__.pyi``,
  and a function in ``hs3`` if HS3 has it.
- ``parameter``: parameters before and after the fit.

>>> from flavorframe import fit
>>> [component.name for component in fit.dsphi().components]
['Ds', 'D+', 'background']
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
