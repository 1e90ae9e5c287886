"""The version, in a module that imports nothing: what builds the package reads it here."""

__version__ = "0.1.0"
