"""Servers for a laptop without docker: MongoDB, Redis and PostgreSQL stand-ins.

Every server is an own program, reached over TCP and kept as a child process; none is imported.
Nothing in the source tree may import this package except the operator's door (`cli`) and tests.
"""


class DevstackError(Exception):
    """A server of the laptop stack could not be served; the text is written for the operator."""
