"""Past states: which moment is meant, and what things were then."""
