"""TCP connections: limits on their number, on the size of a request and on its duration."""
