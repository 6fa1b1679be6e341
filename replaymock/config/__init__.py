"""Options of a run.

`settings` has their values, `config_file` reads them from TOML, `discovery` finds the files, `team_rules` adds a
team's own rules for secrets.
"""
