"""Business rules: events, states, decisions and errors. Pure: no clock, no randomness, no I/O."""
