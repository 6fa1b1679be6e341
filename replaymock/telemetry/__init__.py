"""What a run tells.

`events` has a class for each kind of event, `event_text` its text for people. `console` prints events by way of
`printing`, `subscribers` pass them to open pages. `lifecycle` makes the first and the last of them. `journal` remembers
requests and misses.
"""
