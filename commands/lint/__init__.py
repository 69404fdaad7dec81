"""Checks every invariant again from the log alone, and the claims and counts next to it."""
