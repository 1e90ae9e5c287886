"""The columnar engine: numpy over flat arrays, cut by cut."""
