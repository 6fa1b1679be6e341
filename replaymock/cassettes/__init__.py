"""The cassette format: one file, one request and its responses.

`model` has the values, `schema` the shape of the file, `reader` and `writer` go between text and values,
`websocket` does so for conversations. `diagnostics` finds the line and column of a mistake. `filenames` says what a
name means, and `path_templates` which paths a template covers.
"""
