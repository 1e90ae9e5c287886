"""Making catalogues: from globs and lists, and from what experiments' own services know.

- ``making``: the eras of a new catalogue, and its file.
- ``lists``: text files that list files, a file on a line.
- ``das``: datasets of CMS, by ``dasgoclient``; ``cms``: what their names say.
- ``rucio``: datasets of Rucio, by its Python client.

To add a service, write a module with a function that returns an `Era` for a name in it, and an
option of ``flavorframe catalog make`` in ``_cli/catalog.py``.
"""
