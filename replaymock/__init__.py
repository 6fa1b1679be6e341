"""replaymock: record a real HTTP backend once, replay it for ever.

`cli` is the command line, `config` its options and the configuration file, and `demo` one of its commands. `app` is one
run; `wiring` constructs its parts. `server` takes requests from clients. `replay` answers them from cassettes; `proxy`
forwards them to the backend, and `recording` makes cassettes of that. `storage` has the cassettes on disk, `telemetry`
reports what happens. `matching` finds the cassette of a request. `cassettes` is their format, `redaction` hides
secrets, and `http` is HTTP itself. `errors`,
`placeholders`, `suggestions`, `draining` and `toml_tables` are used by all of them.
"""

__version__ = "0.1.0"
