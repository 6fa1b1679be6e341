"""replaymock: record a real HTTP backend once, replay it for ever."""

__version__ = "0.1.0"
