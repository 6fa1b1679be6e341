"""Own endpoints below `/__replaymock/`.

`endpoints` answers programs, `page` serves the page in `static/` and its event stream.
"""
