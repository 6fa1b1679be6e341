"""server.admin"""
