"""Remembers what happened: append, read, follow. The only floor that knows the event library."""
