"""The administrators' page of a facility on one machine: who takes what, and stopping it.

It is a service of the hub, with a token of its own, which may list and stop servers and clusters.
Administrators alone may open it.

- ``config``: how the hub starts it.
- ``service``: the program.
- ``templates``: the page, in the hub's style.
"""
