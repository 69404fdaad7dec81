"""Embedded servers for development and tests: MongoDB, Redis and PostgreSQL or stand-ins.

Every server is a separate program that runs as a child process and is reached over TCP. In the
source tree, only the operator's commands (`cli`) import this package.
"""


class DevstackError(Exception):
    """An embedded server could not be started or used; the message is for the operator."""
