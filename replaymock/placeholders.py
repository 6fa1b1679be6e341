"""The two marks of a cassette: `{{redacted:NAME}}` for what is hidden, `{{origin}}` for the origin of the server."""

import re

PLACEHOLDER = re.compile(r"\{\{redacted(?::[^{}]*)?\}\}")

TOKEN = "{{origin}}"  # noqa: S105 - no password
