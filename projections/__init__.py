"""Shows what happened: read models in MongoDB, each rebuildable from the log."""
