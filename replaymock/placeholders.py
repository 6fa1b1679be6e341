"""The two marks of a cassette: `{{redacted:NAME}}` for a hidden value, `{{origin}}` for this server's origin."""

import re

REDACTED = re.compile(r"\{\{redacted(?::[^{}]*)?\}\}")

ORIGIN = "{{origin}}"
