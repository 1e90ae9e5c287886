"""The columns of a TTree: what its branches hold, where their baskets lie, and reading them."""
