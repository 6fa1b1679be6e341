"""A look through a folder of cassettes.

`check` for mistakes, `secrets` for what should be hidden, `sarif` for machines.
"""
