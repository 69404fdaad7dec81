"""Copying an organization, as it was at a point of its log, into a new one."""
