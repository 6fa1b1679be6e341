"""`replaymock demo`.

A bundled `shop` behind a `server`, visited by a `client`, recorded, stopped, replayed. `scenario` is the story,
`compare` and `report` its end.
"""
