"""The past of an organization in the log: when events were recorded, and streams up to one."""
