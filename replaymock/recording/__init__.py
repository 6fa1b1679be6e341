"""From exchanges to cassettes.

`recorder` gives a ticket to each request that is forwarded. When the exchange is over, the ticket hands a `capture` of
it to the `pipeline`, which keeps the order in which requests arrived. `cassette_builder` then makes the cassette:
`request_capture` and `response_capture` give what is stored of either side, `causality` the write that changed the
response, and `merge` joins it with the stored responses; `extent` compares responses that were cut short. `run` is what
one run remembers. `late_redaction` hides secrets that became known after they were written, and `volatile_hints`
suggests which fields to ignore. A WebSocket takes the same way, as a capture with messages.
"""
