"""Checks a Trackrecord export or proof without Trackrecord; needs Python and `cryptography`.

    python trackrecord-verify.py FILE [--key VKEY] [--previous CHECKPOINT]

The exit status is 0 if everything is proven, 1 if anything is wrong, 2 if a file cannot be read or
is neither. The formats are described in `docs/reference/export-format.md` and `proof-format.md`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from audit.note import NoteInvalid, TreeCheckpoint, Verifier, open_checkpoint
from audit.proof.check import PROOF_BYTES_MAX, ProofReport, ProofUnreadable, check_proof
from audit.report import Report
from audit.verify import verify

LINE_BYTES_MAX = 64 * 1024 * 1024
"""A longer line is read, and reported, in pieces: a hostile file must not fill the memory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file named on the command line, print the report and return the exit status."""
    about = "Check an export of a Trackrecord audit log, or a proof from it, offline."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("file", help="the export (JSONL) or proof; - reads standard input")
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
            report = _report(sys.stdin.buffer, options.key, previous)
        else:
            with Path(options.file).open("rb") as file:
                report = _report(file, options.key, previous)
    except (OSError, UnicodeDecodeError, NoteInvalid, ProofUnreadable) as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    if isinstance(report, Report) and not report.recognized:
        sys.stderr.write(f"{options.file} is not a Trackrecord export or proof\n")
        return 2
    sys.stdout.write(f"{report}\n")
    return 1 if report.problems else 0


def _report(
    file: BinaryIO, trusted: str | None, previous: TreeCheckpoint | None
) -> Report | ProofReport:
    """Check *file*, which is an export unless it is a proof: that is one object of JSON."""
    first = file.readline(LINE_BYTES_MAX)
    if first.startswith(b'{"manifest":'):
        return verify(chain([first], _lines(file)), trusted, previous)
    more = file.read(PROOF_BYTES_MAX)
    found = check_proof(first + more, trusted, previous)
    if found is not None:
        return found
    read = BytesIO(more + file.readline(LINE_BYTES_MAX))  # ends with a whole line
    return verify(chain([first] if first else [], _lines(read), _lines(file)), trusted, previous)


def _kept_checkpoint(path: str, vkey: str) -> TreeCheckpoint:
    note = Path(path).read_text(encoding="utf-8")
    return open_checkpoint(note, Verifier.parse(vkey))


def _lines(export: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: export.readline(LINE_BYTES_MAX), b"")


if __name__ == "__main__":
    sys.exit(main())
