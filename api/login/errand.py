"""Errands: what a worker does about an address, so that the API need not look for its account."""

from api.http.request import ApiRequest
from commands.identity.errand import Errand, ErrandKind, job_id_of
from commands.reservations import email_claim
from eventstore.operations.records import Job


async def send_on_errand(
    request: ApiRequest, kind: ErrandKind, address: str, count: int = 1
) -> None:
    """Have a worker do something about an address in its canonical form.

    :raises OperationsUnavailable: it cannot be kept for the worker.
    """
    system, info = request.api.system, request.client_info
    errand = Errand(
        kind=kind,
        address=email_claim(system.log.keys.fingerprint, address).value,
        count=count,
        ip=info.ip,
        user_agent=info.user_agent,
        request_id=info.request_id,
    )
    job = Job(id=job_id_of(errand, system.keys.master), due_at=system.clock())
    await system.operations.keep_job(job)
