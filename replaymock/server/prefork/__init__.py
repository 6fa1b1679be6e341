"""Several processes on one port.

`supervisor` forks and restarts, `worker` serves, `ipc` is what they say to each other, `aggregate` makes one voice
of many.
"""
