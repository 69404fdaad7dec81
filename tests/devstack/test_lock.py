"""A data directory has one owner at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.lock import DataDirBusy, DataDirLock

HOLDER = """
import sys
from pathlib import Path
from devstack.lock import DataDirLock
with DataDirLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.servers
def test_another_process_is_refused_with_the_id_of_the_holder(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        with pytest.raises(DataDirBusy, match=f"process {holder.pid}"):
            DataDirLock(tmp_path).acquire()

        holder.kill()
    with DataDirLock(tmp_path):  # the kernel released it with its killed holder
        pass


def test_a_second_lock_in_the_same_process_is_refused_until_release(tmp_path: Path) -> None:
    first, second = DataDirLock(tmp_path), DataDirLock(tmp_path)

    with first, pytest.raises(DataDirBusy, match=f"process {os.getpid()}"):
        second.acquire()

    with second, pytest.raises(DataDirBusy, match="already locked"):
        second.acquire()


@pytest.mark.servers
def test_a_child_that_inherits_the_lock_keeps_it_after_its_parent_releases_it(
    tmp_path: Path,
) -> None:
    lock, later = DataDirLock(tmp_path), DataDirLock(tmp_path)
    with lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=[lock.fileno()],
        )

    with child:
        with pytest.raises(DataDirBusy):
            later.acquire()
        child.kill()

    with later:
        assert later.fileno() > 0
    with pytest.raises(DataDirBusy, match="not locked"):
        later.fileno()
