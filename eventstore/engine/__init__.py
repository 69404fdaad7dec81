"""Shared by the stores: settling a batch, and the tables in SQL."""
