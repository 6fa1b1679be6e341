"""HTTP/1.1 towards the backend.

`pool` of connections, one `connection`, `response_parser`, `uploading` of a body, `dialer` for a WebSocket,
`proxied` through another proxy.
"""
