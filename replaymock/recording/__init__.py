"""From exchanges to cassettes.

`pipeline` takes exchanges in the order their requests arrived. `request_capture` and `response_capture` say what is
kept of each, `cassette_builder` joins it with what is stored, by `merge`; `causality` finds the write that changed
an answer. `volatile_hints` names what alone changed. `hindsight` and `late_redaction` hide what became known to be
secret later. `websocket` records conversations.
"""
