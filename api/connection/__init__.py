"""TCP connections: how much of a request is read, how long it may take, how many there may be."""
