"""Measurements of flavorframe beside its peers: ``make bench``."""
