"""Names and titles: one line of text that a reader can see."""

import unicodedata
from typing import Annotated

from msgspec import Meta

from domain.patterned import patterned

_REFUSED = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Control characters, including escape and line breaks, and characters that change the direction of
text: they can forge lines in logs and terminals and make one name look like another (Unicode
Standard Annex 9, section 2; Unicode Technical Report 36, section 2.5)."""

_INVISIBLE = (
    r"\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""White space, and what Unicode calls default ignorable; the Braille blank is neither."""

NAME_PATTERN = rf"^(?![\s\S]*[{_REFUSED}])[\s\S]*[^{_INVISIBLE}]"
"""No refused character, and at least one visible; valid in Python and in ECMAScript, with its flag
``u`` (JSON Schema 2020-12, section 6.4), as the last characters are beyond 16 bits."""


def one_line(length_max: int) -> Meta:
    """Return what a text of one line has to be like, with at most *length_max* characters."""
    expected = "one line of visible text, without control characters"
    return patterned(NAME_PATTERN, expected, length_max)


Name = Annotated[str, one_line(200)]
"""The name of a person, an organization or a project."""

FileName = Annotated[str, one_line(200)]
"""The name of a file, without folders."""

Title = Annotated[str, one_line(300)]
"""The title of a task."""


def folded(name: str) -> str:
    """Return *name* as it is compared: two names that look alike are the same name.

    As Unicode Standard, section 3.13 (toNFKC_Casefold), without the white space around it.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
