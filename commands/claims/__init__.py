"""What the events of an area reserve: claims that they take and counts that they change."""
