"""Data quality: lumi sections, which are certified, their luminosity and prescales.

`LumiSections` is in ``sections``, and what is read of files in ``certified`` (golden JSON),
``prescales`` and ``brilcalc`` (luminosity), by ``texts``. Tables by lumi section as nodes hold them
are in `flavorframe._expr.lumi_tables`. ``tallies`` are what an analysis notes of all events, such
as ``duplicates``; ``generated`` is what was generated of a simulation. To add a tally: a class in
``tallies``, what a result has of it, and its form in JSON in ``result/_outputs.py``.
"""
