"""From a cassette to an answer.

`engine` decides what a request gets. `sequence` says which response, `sessions` remember how far each client is,
`overrides` what rules and headers ask for. `renderer` makes the answer, `response_cache` keeps it, `time_shift`
moves its times, `pacing` and `faults` its pace and its failures. `websocket` plays a conversation, `miss_response`
explains a miss.
"""
