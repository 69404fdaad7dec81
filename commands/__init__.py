"""Use cases that write: one class each, run by one handler."""
