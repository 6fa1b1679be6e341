"""A request on its way to the backend, and its response on the way back.

`options` are the values it is told, `routes` says which upstream a path belongs to, `upstreams` sends requests there by
the transports in `client`, and `errors` says what went wrong. `forwarder` takes a request there and back: `headers`
changes what a proxy must change and `own_origin` our address, `relay` passes the body on as it comes; `in_flight` is
the state of one exchange, which may outlast its client (`detached`). `ticket` is what it asks of a recorder. Requests
for ranges are answered from the whole, so that it can be recorded: `ranges` decides, `range_slices` cuts, `range_cache`
remembers. `websocket_forwarder` does the same for WebSockets, which `websocket` opens and relays.
"""
