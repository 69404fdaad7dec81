"""HTTP plumbing that every route shares."""
