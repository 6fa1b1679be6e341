"""A request on its way to the backend and the answer on its way back.

`options` are the values it is told, `routes` says which upstream a path belongs to, `upstreams` sends a request there,
and `errors` says what went wrong. `headers` changes what a proxy must change, `own_origin` what names this server, and
`relay` passes the body on as it comes. `forwarder` does these in their order, with an `in_flight` exchange for each
request and a `ticket` of whoever records. A range is cut from the whole: `ranges`, `range_slices`, `range_cache`, and
`detached` clients, whose exchange goes on without them. `websocket` opens and relays WebSockets upstream,
`websocket_forwarder` does so for a client. `client` has the transports.
"""
