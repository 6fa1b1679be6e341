"""The server's own endpoints below `/__replaymock/`.

`endpoints` decides who may ask, and answers in JSON. `page` serves the page in `static/` and its event stream.
"""
