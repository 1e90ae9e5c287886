"""What lies beside a tree, in other files: friends, entry by entry or joined by a key.

* `joined`: a file with its friends, the same that `RootFile` offers; their branches are called
  ``friend.branch``.
* `entries`: friends entry by entry; `keyed`: friends by a key, whose `table` is in memory.
"""
