"""Measurements beside stock Tornado, for `scripts/bench`; not part of the package."""
