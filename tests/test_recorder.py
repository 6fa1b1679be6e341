"""Recording: one exchange from the caller to upstream, and to the cassette it becomes."""
