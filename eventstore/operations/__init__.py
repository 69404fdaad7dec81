"""Operational state beside the log: who sends what, and how it went. All of it may be lost."""
