"""Answers requests straight from the socket, without Tornado.

`acceptor` accepts connections, parses requests, and hands over to the server what it cannot answer. `connection` is one
of them: it reads bytes and writes ready responses, which the `cache` keeps by request head.
"""
