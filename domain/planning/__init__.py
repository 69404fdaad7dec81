"""Rules for planning: custom fields."""
