"""Stories of the commands on the audit log."""

from commands.audit import AcceptRestore, ExportAudit, ExportAuditAsOperator
from commands.base import NotPermitted
from domain.audit import AuditExported, LogRestored, audit_trail
from domain.base import NotFound
from tests.commands.acme import HERE
from tests.domain.spec import ACME, ANA, BEN, DAN
from tests.spec import given, on

export = ExportAudit(first=3, last=9, format="jsonl")
exported = AuditExported(from_=3, to=9, format="jsonl")


class TestExportAudit:
    def test_an_export_records_its_range(self) -> None:
        given(*HERE).when(export, by=ANA).then(on(audit_trail(ACME), exported))

    def test_every_export_is_recorded(self) -> None:
        given(*HERE, on(audit_trail(ACME), exported)).when(export, by=ANA).then(exported)

    def test_an_export_is_refused_below_admin(self) -> None:
        given(*HERE).when(export, by=BEN).then_refused(NotPermitted)

    def test_an_export_is_not_found_for_a_stranger(self) -> None:
        given(*HERE).when(export, by=DAN).then_refused(NotFound)


class TestExportAuditAsOperator:
    def test_the_operator_needs_no_role_and_is_recorded_too(self) -> None:
        as_operator = ExportAuditAsOperator(first=3, last=9, format="jsonl")

        given(*HERE).when(as_operator, by=DAN).then(on(audit_trail(ACME), exported))


class TestAcceptRestore:
    restored = LogRestored(epoch=2, kept=7, lost_size=9, lost_root="root")
    accept = AcceptRestore(restored=restored)

    def test_begins_an_epoch(self) -> None:
        given(*HERE).when(self.accept).then(on(audit_trail(ACME), self.restored))

    def test_begins_it_once(self) -> None:
        given(*HERE, on(audit_trail(ACME), self.restored)).when(self.accept).then()
