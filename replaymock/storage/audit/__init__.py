"""storage.audit"""
