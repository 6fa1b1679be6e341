"""HTTP towards the backend: two of httpx's transports, and what they stand on.

`transport` is our HTTP/1.1, the usual one: `dialer` opens a connection, `connection` is one, `response_parser` reads
what comes on it, and `pool` sends requests over them. `httpx_transport` is httpx's own, for HTTP/2 and proxies.
`kept_connections` holds the connections of both between exchanges. `httpx_messages` has messages in httpx's form.
"""
