"""What a run tells.

`journal` remembers requests and misses, `subscribers` hand events on, `console` writes them for people or programs,
`lifecycle` has the first and the last of them.
"""
