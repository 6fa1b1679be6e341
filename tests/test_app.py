"""The whole construction, run inside the test: from settings to a server that answers, and to its orderly end."""
