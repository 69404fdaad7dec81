"""Read models of the way in and out: search."""
