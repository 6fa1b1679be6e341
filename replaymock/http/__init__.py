"""HTTP and what belongs to it, as values and pure functions: what the standards say.

`messages` has the request, the response and the pair of them. `headers`, `uri`, `media_types`, `content_coding`,
`dates`, `cors`, `conditional` and `status` are each about one part of a message; `challenges` and `signing` are about
logins that hold for a connection, and signed requests. `bodies` turns a body into the form that people edit, and back.
`json_tokens` changes JSON without altering the rest, `selectors` name parts of messages, `event_stream` and `jwt` read
what is in bodies. `origin` replaces the backend's address by ours. `rendered` is a response ready for the socket,
`problem` one of our own errors. `websocket_handshake`, `websocket_frames` and `websocket_messages` are RFC 6455. Only
two things are of this product: `own_paths`, which it keeps for itself, and its name in `via`.
"""
