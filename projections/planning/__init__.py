"""Queries and read models for planning: boards."""
