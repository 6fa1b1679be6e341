"""What is secret, and what takes its place. The same functions run on what is stored and on what is matched.

`redactor` takes whole messages, `text` what is in them. `secret_names` knows the names of secrets, `known_secrets` the
values that this run has met; `credential_patterns` are the formats of known credentials, and `credential_scanner`
searches for them. `json_context`, `loose_text` and `nested_text` find values in JSON, in other text, and in text inside
text. `code` and `wording` tell programs and words from secrets. `placeholders` names what is hidden. `gitleaks` has a
team's own rules.
"""
