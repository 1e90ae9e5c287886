"""The expression language: lazy, immutable, typed by axis."""
