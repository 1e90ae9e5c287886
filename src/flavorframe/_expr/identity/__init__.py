"""Fingerprints of expressions, by which results are cached and plans compared.

`fingerprints` has those of expressions and plans, `functions` those of users' functions, which are
known by their code (`bytecode`) and all that it refers to; `pure` lists what is known to give the
same answer to the same arguments, and `digests` has the fingerprints of plain values and arrays.
"""
