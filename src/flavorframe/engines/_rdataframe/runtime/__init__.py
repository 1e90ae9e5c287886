"""ROOT at work.

`root` imports and configures ROOT, `child` has it in a process of its own. `booking` makes a graph
of a program, in one of the two kinds that `graphs` has: of this process, or of a Dask cluster
(`distributed`). `outcome` and `rows` make the engine's partial result of what the loop gave.
`files` looks at files before that.
"""
