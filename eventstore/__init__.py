"""The event log: append, read, follow. The only package that imports the event library."""
