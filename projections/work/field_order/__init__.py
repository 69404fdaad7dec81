"""Lists in the order of a custom field: sorted where they are read, or walked in an index."""
