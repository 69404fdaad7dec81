"""What may happen and what has happened. Pure: no clock, no randomness, no I/O."""
