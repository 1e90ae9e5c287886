"""The engine over ROOT's RDataFrame: a plan becomes C++, and one graph over the events."""
