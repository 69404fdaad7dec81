"""A task backend as it is usually written: FastAPI, SQLAlchemy and rows that are updated in place.

It runs in an environment of its own (``requirements.lock``), so nothing of ours imports it.
Everything that makes it faster and is usual is used: asyncpg with its prepared statements, a
connection pool, uvloop, httptools and responses that pydantic writes itself. It promises
what ours promises on the same path: whoever is logged in is looked up on every request, the
project's and the task's organization are checked, and each change is durable before the response,
together with a row of an audit log.
"""
