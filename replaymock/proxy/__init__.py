"""A request on its way to the backend and the answer on its way back.

`routes` says which upstream a path belongs to, `upstreams` asks it, `headers` changes what a proxy must change,
`relay` passes the body on as it comes. `forwarder` does these in their order, with an `attempt` for each exchange.
`websocket` relays frames. `client` is the HTTP/1.1 client below.
"""
