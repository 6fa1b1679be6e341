"""The two marks of a cassette: `{{redacted:NAME}}` for what is hidden, `{{origin}}` for the origin of the server."""

import re

REDACTED = re.compile(r"\{\{redacted(?::[^{}]*)?\}\}")

ORIGIN = "{{origin}}"
