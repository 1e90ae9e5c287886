"""The columnar engine: numpy over flat arrays, cut by cut.

How a partition is evaluated, file by file in this order:

1. `engine` opens the file and binds the plan to its branches; `facts` are worked out of the plan's
   expressions once for all partitions: which depend on the candidates, which occur again.
2. `filling` has the lead from here on. It lets the `runner` take all steps, and the runner calls it
   back before each step (an `Observer`): then it fills the N−1 histograms that leave this step out.
   Histograms of all cuts and the rows of snapshots are filled at the end.
3. `runner` takes the survivors through the steps of the selection and adds rows to the cutflow. For
   an N−1 histogram it copies the survivors, and takes the copy through the other steps.
4. `survivors` are the living events and candidates (those that passed all cuts so far), and their
   weights. A step computes a condition, a weight, or the value that a best candidate is chosen by,
   and makes them fewer.
5. `state` is what is alive: events, or candidates by number (`candidates`). It is never changed; a
   cut makes another state, with smaller views (`views`).
6. `view` is where expressions have values. The full view sees every element of the living events,
   the surviving view (`surviving`) only the living candidates; `elements` are those of an axis in
   a view.
7. `compute` has a function for each kind of node, which asks the view for the
   `values` of its parts.
   `segments` are the loops over the elements of each event, `blocks` has nested lists computed in
   parts, for there are many of their elements, `named` is a short cut for triggers, and `depth`
   keeps deep trees from filling Python's stack. `links` counts the candidates for which a link by
   value finds no element, or more than one.
8. `skimming` copies whole events, `stored` has values as files hold them.
9. `columns` reads each branch when it is first needed, at the events that are alive then.

With a cache the classes of `caching` are put around `columns`, `views`, `survivors` and `runner`.
Nothing outside of that folder and of `engine` knows that there is a cache.

**A new reduction** is a branch in `segments.reduce_segments`. Reductions over candidates are
computed anew after each cut, because they are `Reduce` nodes.

**A new number in a row of the cutflow** is a field of `runner.Counts`, which `runner.counts`
computes. `flavorframe.result.cutflow` lists the other places.

**A new kind of node** is a function in `compute`. If it looks at other elements than those of its
own axis, `depth` must know which.
"""
