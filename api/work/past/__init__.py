"""Tasks and projects as they were, for those who may see them now."""
