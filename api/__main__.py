"""``python -m api``: run the HTTP server."""

from api.serving import serve
from runtime.process import run_process

if __name__ == "__main__":
    run_process(serve)
