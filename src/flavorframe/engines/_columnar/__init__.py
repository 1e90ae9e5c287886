"""The columnar engine: numpy over flat arrays, cut by cut.

How a partition is evaluated, file by file in this order:

1. `engine` opens the file and binds the plan to its branches; `facts` are worked out of the plan's
   expressions once for all partitions: which depend on the candidates, which occur again.
2. `runner` takes the survivors through the steps of the selection, and counts for the cutflow.
   Before a step that an N−1 histogram leaves out, they are copied for the other steps.
3. `survivors` are what is alive and what it weighs. A step computes a condition, a weight, or the
   value that a best candidate is chosen by, and makes them fewer.
4. `state` is what is alive: events, or candidates by number (`candidates`). It is never changed; a
   cut makes another state, with smaller views (`views`).
5. `view` is where expressions have values. The full view sees every element of the living events,
   the surviving view only the living candidates; `elements` are those of an axis in a view.
6. `compute` has a function for each kind of node, which asks the view for the values of its parts.
   `segments` are the loops over the elements of each event, `named` a short cut for triggers, and
   `depth` keeps deep trees from filling Python's stack.
7. `columns` reads each branch when it is first asked for, at the events that are alive then.
8. `filling` fills histograms and the rows of snapshots from the survivors; `links` counts how
   links by value fare.

With a cache the classes of `caching` are put around `columns`, `views`, `survivors` and `runner`.
Nothing outside of that folder and of `engine` knows that there is a cache.

**A new reduction** is a branch in `segments.reduce_segments`. Whatever reduces over candidates is a
`Reduce` node, and so is computed anew after each cut without further ado.

**A new number in a row of the cutflow** is a field of `runner.Counts`, which `runner.counts`
computes, and of `flavorframe.result.CutRow`, under the same name.

**A new kind of node** is a function in `compute`. If it looks at other elements than those of its
own axis, `depth` must know which.
"""
