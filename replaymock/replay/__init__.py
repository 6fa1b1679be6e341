"""From a request to the response of a cassette.

`engine` decides which response a request gets: `sequence` picks the position in the cassette, `sessions` remember the
positions of each client, `overrides` resolve what rules and the header `Prefer` ask for. `renderer` then makes the
bytes, from recorded responses in the `response_cache`; `time_shift` moves their times, `pacing` replays their pauses,
`faults` injects failures. `miss_response` explains a miss. `websocket` plays a recorded conversation.
"""
