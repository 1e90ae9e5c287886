"""Trees with one row a candidate, as events with lists of candidates.

* `groups`: at which rows events begin, of a file whose rows of one event follow each other.
* `grouping`: finds that by the branches that tell events apart, and what is wrong with them.
* `events`: the file as if it had lists; the same that `RootFile` offers.
"""
