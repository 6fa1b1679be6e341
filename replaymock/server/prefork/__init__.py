"""Several processes on one port.

`supervisor` is the parent: it forks the workers, one for each `worker_slot`, and `aggregate` joins what they report.
`worker` serves by an app, of which it knows what `worker_app` names. `ipc` has the messages between both.
"""
