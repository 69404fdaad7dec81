"""Checks a Trackrecord export without Trackrecord; needs Python >= 3.11 and `cryptography`.

    python trackrecord-verify.py EXPORT.jsonl [--key VKEY] [--previous CHECKPOINT]

The exit status is 0 if everything is proven, 1 if anything is wrong, 2 if a file cannot be read or
is no export.
The format is described in `docs/reference/export-format.md`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from audit.note import NoteInvalid, TreeCheckpoint, Verifier, open_checkpoint
from audit.verify import verify

LINE_BYTES_MAX = 64 * 1024 * 1024
"""A longer line is read, and reported, in pieces: a hostile file must not fill the memory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file named on the command line, print the report and return the exit status."""
    parser = argparse.ArgumentParser(description="Check a Trackrecord audit export offline.")
    parser.add_argument("file", help="the export (JSONL); - reads standard input")
    parser.add_argument("--key", metavar="VKEY", help="the public key to trust, name+id+base64")
    parser.add_argument(
        "--previous", metavar="FILE", help="a signed checkpoint you kept from earlier; needs --key"
    )
    options = parser.parse_args(arguments)
    if options.previous and not options.key:
        parser.error("--previous needs --key: without a trusted key a checkpoint proves nothing")
    try:
        previous = _kept_checkpoint(options.previous, options.key) if options.previous else None
        if options.file == "-":
            report = verify(_lines(sys.stdin.buffer), options.key, previous)
        else:
            with Path(options.file).open("rb") as export:
                report = verify(_lines(export), options.key, previous)
    except (OSError, UnicodeDecodeError, NoteInvalid) as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    if not report.recognized:
        sys.stderr.write(f"{options.file} is not a Trackrecord export\n")
        return 2
    sys.stdout.write(f"{report}\n")
    return 0 if report.ok else 1


def _kept_checkpoint(path: str, vkey: str) -> TreeCheckpoint:
    note = Path(path).read_text(encoding="utf-8")
    return open_checkpoint(note, Verifier.parse(vkey))


def _lines(export: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: export.readline(LINE_BYTES_MAX), b"")


if __name__ == "__main__":
    sys.exit(main())
