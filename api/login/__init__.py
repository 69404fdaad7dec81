"""Logging in: passwords, tokens, cookies and new accounts."""
