"""Quasi-interactive flavour-physics analysis: from ROOT ntuples to a fitted mass peak.

Import it as ``import flavorframe as ff``. What it offers is listed in ``__init__.pyi``, and loaded
when first used, so that the import itself takes no time.
"""

import lazy_loader

from flavorframe._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
