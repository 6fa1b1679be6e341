"""What a run reports.

`events` has a class for each kind of event, and `event_text` its text for people. The `console` prints events, through
the thread of `printing`; `subscribers` pass them to open pages. `lifecycle` emits the first and the last event of a
run, `request_warnings` those about troubles with requests. `journal` counts requests and misses and remembers the
latest.
"""
