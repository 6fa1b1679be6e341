"""A team's own rules in the format of gitleaks 8.

`config` reads the file, `re2` translates Go's expressions, `rules` applies them.
"""
