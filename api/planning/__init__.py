"""Routes for planning: boards, custom fields, cycles, milestones, saved views."""
