"""Operational state next to the log: who sends what, and the results. All of it may be lost."""
