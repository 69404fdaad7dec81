"""Queries and read models for planning: boards, custom fields, cycles, milestones, saved views."""
