"""Mass models, their fits to histograms, and toy studies of the fits.

What it offers is listed in ``__init__.pyi``, and loaded when first used.

>>> from flavorframe import fit
>>> [component.name for component in fit.dsphi().components]
['Ds', 'D+', 'background']
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
