"""The caller's connection: ready bytes on a real socket, and when it is kept, closed or reset."""
