"""Checks of a folder of cassettes, without serving it.

`check` finds mistakes, `secrets` what should be hidden, and `sarif` writes that for other programs.
"""
