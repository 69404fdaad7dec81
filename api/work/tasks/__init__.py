"""Tasks in full and lists of them: what several routes share."""
