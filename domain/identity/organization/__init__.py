"""Organization: one customer, its members and what it subscribed to."""
