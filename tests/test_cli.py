"""The command line: help, exit codes, and what is printed where."""
