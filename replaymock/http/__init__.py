"""HTTP, its bodies and its neighbours, as values and pure functions.

What the standards say, and nothing of this product but the two things it adds to a message: `own_paths`, which it
keeps for itself, and its name in `via`.

`messages` has the request, the response and the pair of them; `headers`, `uri`, `media_types`, `content_coding`,
`dates`, `cors`, `conditional` each one part of a message. `bodies` turns a body into the form a person can edit and
back, `json_tokens` changes JSON without parsing it, `event_stream` and `jwt` read what stands in a body. `origin`
replaces the backend's address by ours. `rendered` is an answer ready for the socket, `problem` one of our own
errors. `websocket_handshake`, `websocket_frames` and `websocket_messages` are RFC 6455.
"""
