"""Finds the cassette that answers a request, and explains a miss.

`matcher` brings a request to its `canonical` form under the `rules` in force, and makes its key; `request_memo`
remembers that for requests that come again, and `graphql` looks into bodies of that kind. `index` maps keys to
cassettes, and `lookup` asks the one in force; `redacted_match` lets a placeholder match any distinctive value, and
`broken_cassettes` knows which requests a cassette would answer if it could be read. `differences` and `near_misses`
explain a miss and suggest a line of configuration, for the file that `config_location` names. `naming` makes the file
name of a cassette.
"""
