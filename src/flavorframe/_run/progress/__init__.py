"""How far a run is, shown in a terminal or a notebook.

`choice` picks one of the bars of `terminal` and `notebook`; `base` is the interface of both.
"""
