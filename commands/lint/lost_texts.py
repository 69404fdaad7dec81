"""Finds texts that are gone although nobody redacted them."""

from collections.abc import Iterator

from commands.lint.finding import LintFinding
from domain.base import ERASED, OrgId
from domain.redaction import ContentRedacted
from eventstore.codec import PERSONAL, event_values
from eventstore.keys import SubjectKeys, key_owner_in
from eventstore.recorded import Recorded, Row


class LostTexts:
    """The texts that are missing from events whose key is there, until a redaction names them."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys
        self._lost: dict[tuple[OrgId, int], tuple[int, int, set[str]]] = {}

    def look(self, part: int, row: Row, recorded: Recorded) -> None:
        """Look at the next event of a partition, decoded just now."""
        event = recorded.event
        if isinstance(event, ContentRedacted):
            for each in event.texts:
                _, _, fields = self._lost.get((row.org_id, each.seq), (0, 0, set()))
                fields.difference_update(each.fields)
        texts = PERSONAL[type(event)].attributes
        erased = {each for each, name in texts.items() if getattr(event, name) == ERASED}
        if not erased:
            return
        cipher = self._keys.cached(key_owner_in(row)[0])
        if cipher is not None:
            lost = erased - event_values(row, cipher).keys()
            self._lost[row.org_id, row.org_seq] = part, row.position, lost

    def finish(self) -> Iterator[LintFinding]:
        """Yield what is missing after the last event."""
        for part, position, fields in self._lost.values():
            for field in sorted(fields):
                yield LintFinding(part, position, f"nobody redacted {field}, and it is gone")
