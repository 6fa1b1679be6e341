"""server.prefork"""
