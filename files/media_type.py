"""What a file is: the type that its sender declares, checked against its first bytes."""

import re
from typing import Any

HEAD_BYTES = 8 * 1024
"""How much of a file is looked at: what puremagic needs for every format but a few archives."""

ANYTHING = "application/octet-stream"
_SURE = 0.3
"""The confidence from which a match counts: two bytes that fit are none."""

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_TEXTS = re.compile(
    r"text/.*|.*[+](json|xml)|application/(json|xml|javascript|ecmascript|sql|yaml|x-yaml|toml)"
)
_ZIPPED = re.compile(
    r"application/(zip|x-zip-compressed|epub[+]zip|java-archive|x-java-archive|vnd[.]android.*"
    r"|vnd[.]openxmlformats.*|vnd[.]oasis[.]opendocument.*|vnd[.]ms-(word|excel|powerpoint).*12)"
)
_OFFICE = re.compile(
    r"application/(msword|x-ole-storage|vnd[.]ms-(excel|powerpoint|office|project|outlook))"
)
_GZIPPED = re.compile(r"application/(gzip|x-gzip|x-compressed-tar|x-tgz)")
_MOVING = re.compile(r"(audio|video)/.*|application/(ogg|mp4|vnd[.]rn-realmedia)")
_BITMAP = re.compile(r"image/(x-ms-)?(bmp|x-bmp)")
_SIGNED = re.compile(r"image/(?!svg).*|audio/.*|video/.*|application/(pdf|zip|gzip|x-gzip)")
"""Types whose files all begin in a known way, so that other bytes are something else."""


class TypeMismatch(Exception):
    """The bytes of a file are not of the type that was declared; ``found`` is what they are."""

    def __init__(self, declared: str, found: str | None) -> None:
        super().__init__(f"{declared} was declared, but it is {found or 'something else'}")
        self.declared, self.found = declared, found


def checked_type(declared: str | None, head: bytes) -> str:
    """Return the media type of a file that begins with *head*.

    That is the declared one if the bytes can be that. If none is declared, it is the one that they
    look like.

    :raises TypeMismatch: they cannot.
    """
    kind = (declared or ANYTHING).partition(";")[0].strip().lower()
    if _TYPE.fullmatch(kind) is None:
        raise TypeMismatch(kind[:100], None)
    found = _matches(head)
    if kind == ANYTHING:
        return found[0] if found else ANYTHING
    if not head:
        return kind
    if _TEXTS.fullmatch(kind):
        if not _is_text(head):
            raise TypeMismatch(kind, found[0] if found else ANYTHING)
        return kind
    family = _family(kind)
    if any(_family(each) == family for each in found):
        return kind
    if found or _SIGNED.fullmatch(kind):
        raise TypeMismatch(kind, found[0] if found else None)
    return kind


def _matches(head: bytes) -> list[str]:
    """Return the types that *head* can be the beginning of, the likeliest first."""
    # Imported here: it reads its list of formats, which no start of a process has to wait for.
    import puremagic  # noqa: PLC0415 - as above

    untyped: Any = puremagic  # it has no types
    try:
        matches: list[Any] = untyped.magic_string(head)
    except (puremagic.PureError, ValueError):
        return []
    return [each.mime_type for each in matches if each.mime_type and each.confidence >= _SURE]


def _family(kind: str) -> str:
    """Return what stands for all the types that share the beginning of their files."""
    families = (_ZIPPED, _OFFICE, _GZIPPED, _MOVING, _BITMAP)
    for family in families:
        if family.fullmatch(kind):
            return family.pattern
    return kind.replace("image/jpg", "image/jpeg").replace("image/pjpeg", "image/jpeg")


def _is_text(head: bytes) -> bool:
    """Return whether *head* can be text: UTF-8, which may be cut, or UTF-16 with its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" or not any(c < 9 for c in head)
    return True
