"""Requests answered straight from the socket.

`acceptor` takes connections and parses heads, `connection` is one of them, `cache` holds ready responses.
"""
