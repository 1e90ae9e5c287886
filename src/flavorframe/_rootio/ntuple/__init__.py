"""The columns of an RNTuple: what its fields hold, and reading their pages."""
