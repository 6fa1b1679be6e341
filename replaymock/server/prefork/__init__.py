"""Several processes on one port.

`supervisor` is the parent: it forks a worker for each `worker_slot`, and `aggregate` merges what they report. `worker`
runs an app in its process; `worker_app` names what it needs of that app. `ipc` has the messages between both.
"""
