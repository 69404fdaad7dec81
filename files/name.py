"""The name of a file as its sender gives it, made safe, and as a response gives it back."""

import re
import unicodedata
from urllib.parse import quote, unquote

from domain.name import NAME_PATTERN

NAME_CHARS_MAX = 200
UNNAMED = "file"
_VISIBLE = re.compile(NAME_PATTERN)
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)", re.IGNORECASE)
_PLAIN = re.compile(r";\s*filename\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\"\s]+))", re.IGNORECASE)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069<>:"|?*]')
"""Control characters, those that turn the direction of text, and what Windows has no names with."""


def name_in(disposition: str | None) -> str:
    """Return the name in a Content-Disposition header (RFC 6266; ``filename*`` as in RFC 8187)."""
    return safe_name(_given(_as_utf8(disposition or "")))


def safe_name(given: str) -> str:
    """Return a name without what is dangerous in one; of an empty one, ``file``.

    Folders are dropped, such characters replaced, and a long name is cut in front of its ending.
    """
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    name = _UNSAFE.sub("_", name).strip(" .")
    if len(name) > NAME_CHARS_MAX:
        stem, dot, ending = name.rpartition(".")
        keeps = dot and len(ending) < 20
        name = f"{stem[: NAME_CHARS_MAX - len(ending) - 1]}.{ending}" if keeps else name
        name = name[:NAME_CHARS_MAX]
    return name if _VISIBLE.match(name) else UNNAMED


def disposition_of(name: str) -> str:
    """Return the header that has a browser save a file under *name* and never show it."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _given(header: str) -> str:
    """Return what the header names, preferring ``filename*``, which can say every character."""
    extended = _EXTENDED.search(header)
    if extended is not None:
        return unquote(extended[2], extended[1], "replace")
    plain = _PLAIN.search(header)
    if plain is None:
        return ""
    return re.sub(r"\\(.)", r"\1", plain[1]) if plain[1] is not None else plain[2]


def _as_utf8(header: str) -> str:
    """Return a header that was read as Latin-1 as the UTF-8 that many clients send in it."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
