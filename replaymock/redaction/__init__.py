"""What is secret, and what stands in its place. The same functions run on what is stored and on what is matched.

`redactor` takes whole messages, `text` what stands in them. `secret_names` knows names, `credential_patterns` and
`credential_scanner` know shapes, `known_secrets` the values that this run has met. `json_context`, `loose_text` and
`nested_text` find values in JSON, in other text, and in text inside text. `placeholders` names what was hidden.
`gitleaks` reads a team's own rules.
"""
