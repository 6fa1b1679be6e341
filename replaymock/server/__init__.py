"""HTTP from clients.

`listener` accepts connections for the `http_server`, and `connections` closes those that are idle. `request_handler`
sees a request through from its head to the end of its response: `access` validates it, `router` decides once which way
it goes and gives the response of the engine, `client_connection` writes it, with the `date_header`. `websocket` takes
over after an upgrade. `fastpath` answers from ready bytes what it can, by the same router. `admin` has the server's own
endpoints and its page, `prefork` runs several processes on one port.
"""
