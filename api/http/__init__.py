"""The HTTP plumbing that all routes share."""
