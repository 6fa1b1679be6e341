"""`replaymock demo`.

`scenario` records the visit of a `client` to a bundled `shop`, which a `server` puts on a socket; then it stops the
shop, and replays the visit. `compare` says whether each response was the same, and `report` prints that.
"""
