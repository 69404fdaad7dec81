"""Checks events against the signed tree heads of their organizations, in any engine or file."""

from collections.abc import Iterable

from audit.merkle import Frontier, leaf_hash
from audit.note import NoteInvalid, TreeCheckpoint, Verifier, open_checkpoint
from domain.base import OrgId


class TreeCheck:
    """Takes the tree heads first, then all events of each organization in order.

    It keeps only the newest head and the frontier of each organization in memory.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._signed: dict[OrgId, TreeCheckpoint] = {}
        self._trees: dict[OrgId, Frontier] = {}
        self._broken: set[OrgId] = set()
        self._problems: list[str] = []

    def add_head(self, org_id: OrgId, note: str) -> None:
        """Use this head for the comparison if it is the largest of its organization."""
        try:
            head = open_checkpoint(note, self._verifier)
        except NoteInvalid as error:
            self._problems.append(
                f"organization {org_id}: a tree head is not signed by us: {error}"
            )
            return
        if org_id not in self._signed or self._signed[org_id].size < head.size:
            self._signed[org_id] = head

    def add_event(self, org_id: OrgId, org_seq: int, state: bytes) -> None:
        """Add the next event of an organization."""
        if org_id in self._broken:
            return
        tree = self._trees.setdefault(org_id, Frontier())
        if org_seq != tree.size + 1:
            self._problems.append(f"organization {org_id}: event {tree.size + 1} is missing")
            self._broken.add(org_id)
            return
        tree.append(leaf_hash(state))
        head = self._signed.get(org_id)
        if head is not None and head.size == tree.size and head.root != tree.root():
            self._problems.append(
                f"organization {org_id}: one of its first {head.size} events is not what was signed"
            )

    def problems(self) -> list[str]:
        """Return the differences, after all events were added."""
        return [*self._problems, *self._shorter()]

    def _shorter(self) -> Iterable[str]:
        for org_id, head in self._signed.items():
            size = self._trees[org_id].size if org_id in self._trees else 0
            if size < head.size and org_id not in self._broken:
                yield f"organization {org_id}: {size} events, but {head.size} were signed"

    @property
    def organizations(self) -> int:
        """How many organizations have signed heads that were compared."""
        return len(self._signed)
