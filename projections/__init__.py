"""Read models and their queries, each rebuildable from the log."""
