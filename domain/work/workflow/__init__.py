"""Workflow: which statuses the tasks of a project have, and between which they may change."""
