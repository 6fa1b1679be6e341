"""A team's own rules in the format of gitleaks 8.

`config` reads the file, `expressions` has RE2 run Go's expressions, `rules` applies them.
"""
