"""Data quality: lumi sections, which are certified, their luminosity and prescales.

`LumiSections` is in ``sections``, and what is read of files in ``certified`` (golden JSON),
``prescales`` and ``brilcalc`` (luminosity). Tables by lumi section as nodes hold them are in
`flavorframe._expr.lumi_tables`.
"""
