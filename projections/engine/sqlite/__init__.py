"""Read models in SQLite: one file, thrown away and made again when it is damaged."""
