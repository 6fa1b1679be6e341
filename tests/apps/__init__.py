"""Whole applications and what they are made of, recorded and replayed; run by hand, as they need a registry."""
