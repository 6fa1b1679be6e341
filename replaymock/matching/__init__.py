"""Which cassette answers a request, and if none does, why.

`matcher` brings a request to its `canonical` form, in which requests are compared, and makes its key; `request_memo`
remembers that for requests that come again, and `graphql` looks into bodies of that kind. `index` maps keys to
cassettes, and `lookup` asks the one in force; `redacted_match` lets a placeholder match any distinctive value, and
`broken` knows which requests a cassette would answer if it could be read. `differences` and `near_misses` explain a
miss and suggest a line of configuration, for the file that `config_location` names. `naming` makes the file name of a
cassette.
"""
