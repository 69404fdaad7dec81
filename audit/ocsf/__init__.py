"""The audit log in the Open Cybersecurity Schema Framework (OCSF), for security tools."""
