"""Rules for planning: custom fields, cycles, milestones, saved views, logged time."""
