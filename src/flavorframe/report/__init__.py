"""Reports of results: one HTML file to circulate, and every plot as a file of its own.

>>> from flavorframe import report
>>> report.write.__name__, report.save_plots.__name__
('write', 'save_plots')
"""

from flavorframe.report.page import write
from flavorframe.report.plots import save_plots

__all__ = ["save_plots", "write"]
