"""A bound plan as C++.

`program` writes the functions of a plan, each of them a `body` whose expressions `translate`
writes. `histograms` and `snapshots` write those of outputs, in the `loops` that they need, and
`link_counts` those that count links. `external` has users' functions and corrections, `models`
trained models. `totals` says where a function adds what it counts. An operation has its line in
`_expr/operations.py` and its meaning in `cpp/operations.h`: nothing here knows single operations.
"""
