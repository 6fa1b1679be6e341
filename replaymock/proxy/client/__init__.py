"""proxy.client"""
