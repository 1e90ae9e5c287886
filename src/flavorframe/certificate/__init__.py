"""Certificates: whether engines select the same events and candidates, cut by cut.

- ``certify``: runs the engines, file by file.
- ``comparison``: how the partial results of two engines are compared.
- ``search``: finds the event and the candidate behind a difference.
- ``certificate``: the certificate and its parts, as data.
- ``_description``, ``page.html.j2``: how it is shown.
"""

from flavorframe.certificate.certificate import Certificate, Difference
from flavorframe.certificate.certify import certify

__all__ = ["Certificate", "Difference", "certify"]
