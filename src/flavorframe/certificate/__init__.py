"""Certificates: that engines select the same events and candidates, cut by cut, or where not."""

from flavorframe.certificate.certificate import Certificate, Difference
from flavorframe.certificate.certify import certify

__all__ = ["Certificate", "Difference", "certify"]
