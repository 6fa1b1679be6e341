"""HTTP from clients.

`listener` accepts connections for `http_server`, and `connections` ends those that are idle. `request_handler` takes a
request from its head to the end of its response: `access` validates it, `router` decides which way it goes, once, and
`client_connection` writes what it gets. `websocket` takes over at an upgrade. `fastpath` answers the same requests from
ready bytes where it can, by the same router. `admin` has the own endpoints, `prefork` runs several processes.
"""
