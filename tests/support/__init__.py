"""What tests share: the oracle, random selections, servers, and comparisons."""
