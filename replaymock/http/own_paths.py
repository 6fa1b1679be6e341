"""The paths that belong to this server itself, whatever a backend may have at them."""

OWN_PREFIX = "/__replaymock"
"""What own endpoints begin with."""

SESSION_BASE = f"{OWN_PREFIX}/session/"
"""What stands before the name of a session in a base path."""
