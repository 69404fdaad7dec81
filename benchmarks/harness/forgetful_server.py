"""The API server, but it keeps no page of a list in memory; run as a process."""

from api.http import paging
from api.serving import serve
from benchmarks.harness.http_server import add_routes
from runtime.process import run_process

if __name__ == "__main__":
    paging.PAGES_MAX = 0
    add_routes()
    run_process(serve)
