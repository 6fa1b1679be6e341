"""HTTP/1.1 towards the backend.

`dialer` opens a connection, `connection` is one, `response_parser` reads what comes on it, `pool` keeps connections and
sends requests over them, with a body by `uploading`. `proxied` goes through another proxy.
"""
