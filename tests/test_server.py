"""The server on real sockets: what it reads, what it refuses, and how it ends."""
