"""A request on its way to the backend and the answer on its way back.

`options` are the values it is told, `routes` says which upstream a path belongs to, `upstreams` sends a request there,
and `errors` says what went wrong. `headers` changes what a proxy must change, `relay` passes the body on as it comes.
`forwarder` does these in their order, with an `attempt` for each exchange. `websocket` opens and relays WebSockets.
`client` is the HTTP/1.1 client below.
"""
