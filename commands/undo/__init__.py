"""Undoing what was recorded under one correlation id, by the commands that do the opposite."""
