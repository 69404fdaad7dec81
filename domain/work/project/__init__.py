"""Projects: their events, rules and errors."""
