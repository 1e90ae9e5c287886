"""Certificates: that engines select the same events and candidates, cut by cut, or where not.

- ``certify``: runs the engines, file by file.
- ``comparison``: how the partial results of two engines are compared.
- ``search``: finds the event and the candidate behind a difference.
- ``certificate``: what is found, as data.
- ``_description``, ``page.html.j2``: what is shown of it.
"""

from flavorframe.certificate.certificate import Certificate, Difference
from flavorframe.certificate.certify import certify

__all__ = ["Certificate", "Difference", "certify"]
