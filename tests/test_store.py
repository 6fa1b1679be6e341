"""Cassettes in real folders: loaded, saved, watched, and kept whole."""
