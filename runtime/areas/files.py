"""Settings of the files of attachments."""

from datetime import timedelta
from typing import Annotated

from msgspec import Struct

from runtime.setting import FilesUrl, ScanHook, Setting

FILES_DEADLINE_S = 15.0
"""How long one call to a file store may take; a file is moved in many calls."""


class FileSettings(Struct, frozen=True, kw_only=True):
    """Where files are kept, and what scans them."""

    files_url: Annotated[
        FilesUrl,
        Setting(
            "FILES_URL",
            "files of attachments: s3://KEY:SECRET@bucket/prefix?endpoint=https://…&region=… or"
            " file:///path; empty: DATA_DIR/files",
        ),
    ] = FilesUrl("")
    files_deadline: Annotated[
        timedelta,
        Setting(
            "FILES_DEADLINE",
            "how long callers wait for one call to them",
            timedelta(seconds=1),
            timedelta(minutes=5),
        ),
    ] = timedelta(seconds=FILES_DEADLINE_S)
    scan_hook: Annotated[
        ScanHook,
        Setting(
            "SCAN_HOOK",
            "scans each file before it is given out: a command, or an http(s):// URL; empty: none",
        ),
    ] = ScanHook("")
