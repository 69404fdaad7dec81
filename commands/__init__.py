"""Asks for something to happen: one class a use case, one handler for all of them."""
