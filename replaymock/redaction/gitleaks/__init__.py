"""redaction.gitleaks"""
