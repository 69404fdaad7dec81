"""Schemathesis sends thousands of generated requests, and sequences of them, to a real server.

It takes them from the OpenAPI description: its examples, the bounds of every parameter and body,
what breaks them, and operations that follow from each other. ``make fuzz-api`` looks for longer.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.killing.aftermath import CHECKS
from tests.acceptance.system import ROOT, system

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "10")
"""Requests of each kind to an operation, besides those for each bound."""
SEED = os.environ.get("FUZZ_SEED", "1")
"""The same requests in every run of the tests, so that none fails by chance."""
FUZZING_S = 300 * max(1, int(EXAMPLES) // 10)
"""Ten examples take half a minute on two free cores."""
CHECK_S = 120.0


@pytest.mark.fuzz
@pytest.mark.acceptance
@pytest.mark.servers
@pytest.mark.timeout(FUZZING_S)
def test_generated_requests_are_answered_as_described(tmp_path: Path) -> None:
    with system(APP_ENV="development", WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as started:
        told = _fuzzed(started.running.url, tmp_path)
        examined = [started.command(*check, timeout_s=CHECK_S) for check in CHECKS]

    assert told.returncode == 0, told.stdout[-20_000:] + told.stderr[-5_000:]
    assert "Stateful (disabled)" not in told.stdout
    for done in examined:
        assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]


def _fuzzed(url: str, directory: Path) -> subprocess.CompletedProcess[str]:
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzzing.hooks", "FUZZED_URL": url}
    own = Path(sys.executable).parent
    return subprocess.run(
        [
            own / "schemathesis",
            *("--config-file", ROOT / "tests" / "fuzzing" / "schemathesis.toml"),
            *("run", f"{url}/api/openapi.json", "--no-color"),
            *("--seed", SEED, "--max-examples", EXAMPLES),
        ],
        env={**os.environ, **hooks, "PYTHONPATH": str(ROOT)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
