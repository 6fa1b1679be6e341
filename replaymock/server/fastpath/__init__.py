"""server.fastpath"""
