"""Read models in one SQLite file, which is discarded and rebuilt if it is damaged."""
