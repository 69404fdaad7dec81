"""A file is what its first bytes say, or else it is refused."""

import pytest

from files.media_type import TypeMismatch, checked_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(40)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
ZIP = b"PK\x03\x04" + bytes(60)
EXE = b"MZ\x90\x00" + bytes(100)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(40)


@pytest.mark.parametrize(
    ("declared", "head", "kind"),
    [
        ("image/png", PNG, "image/png"),
        ("IMAGE/PNG; charset=utf-8", PNG, "image/png"),
        ("image/jpg", JPEG, "image/jpg"),
        ("application/pdf", PDF, "application/pdf"),
        ("application/zip", ZIP, "application/zip"),
        (
            "application/vnd.oasis.opendocument.text",
            ZIP,
            "application/vnd.oasis.opendocument.text",
        ),
        ("video/mp4", MP4, "video/mp4"),
        ("audio/mp4", MP4, "audio/mp4"),
        ("text/html", HTML, "text/html"),
        ("text/plain", "Zürich".encode()[:2], "text/plain"),
        ("text/csv", "a;b".encode("utf-16"), "text/csv"),
        ("image/svg+xml", b"<svg/>", "image/svg+xml"),
        ("application/json", b'{"a": 1}', "application/json"),
        ("application/x-own-format", b"\x01\x02\x03", "application/x-own-format"),
        ("text/plain", b"", "text/plain"),
        ("application/octet-stream", PNG, "image/png"),
        (None, PDF, "application/pdf"),
        (None, b"\x01\x02\x03", "application/octet-stream"),
        (None, b"", "application/octet-stream"),
    ],
)
def test_a_type_that_fits_is_kept(declared: str | None, head: bytes, kind: str) -> None:
    assert checked_type(declared, head) == kind


@pytest.mark.parametrize(
    ("declared", "head"),
    [
        ("image/png", HTML),
        ("image/png", EXE),
        ("image/png", JPEG),
        ("image/png", b"\x01\x02\x03"),
        ("application/pdf", EXE),
        ("application/pdf", b"not a PDF"),
        ("video/mp4", ZIP),
        ("text/plain", EXE),
        ("text/csv", PNG),
        ("application/json", ZIP),
        ("application/x-own-format", EXE),
        ("nothing", PNG),
        ("a/b\r\nx: y", PNG),
    ],
)
def test_a_type_that_is_a_lie_is_refused(declared: str, head: bytes) -> None:
    with pytest.raises(TypeMismatch):
        checked_type(declared, head)
