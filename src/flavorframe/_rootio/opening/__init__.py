"""Opening a file: on this machine or on a server, and finding the tree in it."""
