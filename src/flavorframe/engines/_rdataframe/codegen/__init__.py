"""Plans as C++."""
