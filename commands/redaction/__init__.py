"""Takes a text that should never have been written out of the log."""
