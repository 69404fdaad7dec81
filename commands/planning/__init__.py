"""Commands for planning: custom fields."""
