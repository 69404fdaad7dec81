"""Conditional requests: If-Match and If-None-Match (RFC 9110, section 13.1)."""

import re

from api.http.problem import malformed
from commands.base import ChangedSince

_TAG = rb'(?:W/)?"[!#-~\x80-\xff]*"'
_LIST = re.compile(rb"[ \t,]*%b(?:[ \t]*,[ \t,]*%b)*[ \t,]*" % (_TAG, _TAG))
_OURS = re.compile(rb'"(0|[1-9][0-9]{0,14})"')


def version_in(if_match: bytes) -> int | None:
    """Return the highest of our versions in If-Match; None for ``*``, which any version matches.

    A weak tag counts as the version inside: compressing proxies weaken the tags that we send.

    :raises Problem: 400 if it is not a list of entity tags.
    :raises ChangedSince: none of the tags is ours.
    """
    if if_match.strip() == b"*":
        return None
    if _LIST.fullmatch(if_match) is None:
        raise malformed('Send If-Match as a version in quotes from an ETag, such as "3".')
    versions = [int(match[1]) for match in map(_OURS.fullmatch, tags_in(if_match)) if match]
    if not versions:
        raise ChangedSince
    return max(versions)


def tags_in(value: bytes) -> list[bytes]:
    """Return the entity tags of a header, each without its mark of weakness."""
    return [tag.removeprefix(b"W/") for tag in re.findall(_TAG, value)]


def is_known(if_none_match: bytes, tag: bytes) -> bool:
    """Return whether the client has what *tag* names, compared weakly."""
    return if_none_match.strip() == b"*" or tag in tags_in(if_none_match)
