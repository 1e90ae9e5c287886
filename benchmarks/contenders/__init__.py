"""Programs that make the mass histogram of the example analysis, each in its own way.

Each is run as ``python -m benchmarks.contenders.NAME FILE...`` and prints the number of selected
candidates as its last line, so that all can be compared as whole processes.
"""
