"""Which cassette answers a request, and if none does, why.

`canonical` is a request in the form that is compared, `matcher` makes it, `graphql` knows that one body by its
operation. `index` finds the cassette; `redacted_match` lets a placeholder stand for any telling value.
`differences` and `near_misses` explain a miss and hand over the line that mends it, in the file that
`config_location` names. `naming` makes the name of a cassette.
"""
