"""HTTP from clients.

`listener` accepts, `http_server` reads requests and hands them on, `client_connection` writes answers, `access`
refuses what is not for us, `connections` ends those that are idle. `websocket` takes over at an upgrade. `fastpath`
answers what is known byte for byte, `admin` has the own endpoints, `prefork` runs several processes.
"""
