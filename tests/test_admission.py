"""Which requests are served at all, as a table of raw requests."""
