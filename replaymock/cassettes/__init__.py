"""The cassette format: one file with one request and its responses.

`model` has the values and `schema` the members of a file; `reader` and `writer` convert between text and values, and
`websocket` does so for conversations. `diagnostics` finds the line and column of a mistake. `filenames` knows what a
file name says, and `path_templates` which paths a template covers.
"""
