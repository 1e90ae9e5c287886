"""Reports of results: one HTML file to circulate, and every plot as a file of its own.

- ``page``, ``page.html.j2``: the file; a new section is added to the template and its list.
- ``summary``: the sentence at the top, and the row of each era.
- ``tables``: every other table. A new one is a function there, a key in ``page._content`` and a
  place in ``page.html.j2``.
- ``plots``, ``drawing``: which plots there are, and how they are drawn.
- ``views``: what pictures show of a histogram with categories and variations.
- ``yields``: signal yields per luminosity, and their mean.
- ``inputs``: results, fits and analysis, checked to belong together, as a whole and by region.
- ``text``, ``files``: the text of the analysis as HTML, and figures as files.

What it shares with notebooks and certificates is in `flavorframe._display`.

>>> from flavorframe import report
>>> report.write.__name__, report.save_plots.__name__
('write', 'save_plots')
"""

from flavorframe.report.page import write
from flavorframe.report.plots import save_plots

__all__ = ["save_plots", "write"]
