"""The expression language: lazy, immutable, typed by axis.

Where things are, from the bottom up:

* what operations mean: `operations` (the table of all, their kinds and how they are written),
  `arithmetic` and `kinematics` (numpy functions), `reductions` (the table of all)
* what trees are made of: `parts` (equal ones are one object), `axes`, `leaves` (constants, names,
  branches), `elements` (parts and orders of collections, members, links), `computations`
  (operations, reductions, calls of what is in `called`, look-ups in `lumi_tables`), `choices`
  (variations, categories), `descent` (particles' mothers); all of it under the name `nodes`, with
  `walking`
* what is known of trees: `formula` (and `texts`, long ones in pieces), `kinds` of values, `logic`
  (``&`` and the like on truth values or bits), `strings` and `nesting` (where these are refused),
  `dependence` (which values a cut on candidates may change), `identity` (equal in every process)
* what users hold: `expression` (with `operators`, `constants`, `objects`, `defaults`),
  `collection`, `combinations`, `concatenation`, `event`, `samples`, `units`, `functions`,
  `user_functions`, `corrections` (with `binned_corrections`), `models`, `cut_strings` (with
  `cut_tokens` and `cut_trees`)

To add an **operation**: a line in ``OPERATIONS`` (`operations`), the function that applies it
(`functions`, or ``flavorframe/physics.py``), and its C++ in
``engines/_rdataframe/cpp/operations.h``. The columnar engine computes what the table says.

To add a **reduction**: a line in ``REDUCTIONS`` (`reductions`), a method of ``Expr``
(`expression`), and how it is computed: ``engines/_columnar/segments.py``, and a function of its
name in ``engines/_rdataframe/cpp/reductions.h``. If cut strings have a name for it, as ``Sum$``,
that goes into ``DRAW_REDUCTIONS`` (`cut_trees`). What it means is told in ``docs/semantics.md``,
and computed once more, event by event, in ``tests/support/oracle.py``.

To add a **node**: a class in `leaves`, `elements` or `computations`, with its axis, the kind of its
values and its formula, its name in `nodes`, and a function for it in each engine
(``engines/_columnar/compute.py``, ``engines/_rdataframe/codegen/translate.py``).
"""
