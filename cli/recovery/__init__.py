"""Backups, restores and moves of the event database."""
