"""``python -m workers``: run webhook deliveries and background jobs."""

from runtime.process import run_process, until_stopped
from workers.main import run_worker

if __name__ == "__main__":
    run_process(until_stopped(run_worker))
