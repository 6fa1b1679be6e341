"""The options of a run.

`options` is the table of all of them, each an `option`; `settings` has what they say to a run. `discovery` finds that
out of flags, the environment and files: `config_file` reads TOML, `team_rules` a team's own rules for secrets, and
`ambiguity` knows expressions that can take for ever.
"""
