"""The command line, ``flavorframe``.

Each command is a function in a module of its name, which `main` lists; its docstring and its
annotated arguments are what ``--help`` shows. To add one, write such a module and name its function
in `main`. Groups of commands (`workers`, `proxy`) are Typer apps.

* `data`, `script`, `fits`: what several commands take: datasets, analysis files, mass models.
* `output`: what several commands print, and their exit codes.
* `packages`: commands that other packages add.
"""
