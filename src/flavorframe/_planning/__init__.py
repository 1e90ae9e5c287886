"""Plans: what engines are given, and what names mean in a file."""
