"""The request that every route receives, with its caller."""

import hmac
import re
from functools import lru_cache
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from litestar.connection import Request

from api.http.body import decode_body
from api.http.caller import Caller
from api.http.client_info import SCOPE_KEY, ClientInfo
from api.http.conditions import version_in
from api.http.policy import POLICY, Open
from api.http.problem import FieldError, Problem, invalid, malformed
from api.http.rates import Asked
from api.http.state import ApiState
from commands.base import Context, Idempotency, NoOrganization
from commands.states import Loaded
from domain.base import PLATFORM, OrgId, SessionId, State, UserId
from security.addresses import canonical, networks_of
from security.api_keys import PresentedKey
from security.tokens import AccessClaims

_KEY = re.compile(r"[!-~]{1,255}")
_POSITION = re.compile(rb"\d{1,16}")
S = TypeVar("S", bound=State)
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiRequest(Request[Any, Any, Any]):
    """A request. Its body is decoded strictly, its caller is identified before the route runs."""

    __slots__ = ("api_key", "claims", "heads", "known_caller")

    api: ClassVar[ApiState]
    claims: AccessClaims
    api_key: PresentedKey | None
    """The API key that is used, if it is not an access token."""
    known_caller: Caller
    heads: dict[UUID, int]
    """Versions of streams that were read for this request, so that none is read twice."""

    @property
    def client_info(self) -> ClientInfo:
        scope: Any = self.scope  # with our own entry, which the framework's type does not name
        info: ClientInfo = scope[SCOPE_KEY]
        return info

    @property
    def caller(self) -> Caller:
        return self.known_caller

    async def own_organization(self) -> OrgId:
        """Return the organization that the caller works in, read just now.

        For commands that need it up front; queries have read it already.

        :raises NoOrganization: the caller works in none.
        """
        if not self.known_caller.fresh:
            await self.identify(fresh=True)
        return self.organization

    @property
    def organization(self) -> OrgId:
        """The organization that the caller of a query works in.

        :raises NoOrganization: the caller works in none.
        """
        if self.known_caller.org_id is None:
            raise NoOrganization
        return self.known_caller.org_id

    async def body(self) -> bytes:
        return self.client_info.body

    async def json(self) -> Any:
        """Return the body decoded as the type that the route declares."""
        field = self.route_handler.parsed_data_field
        return None if field is None else decode_body(self.client_info.body, field.annotation)

    async def identify(self, *, fresh: bool) -> Caller:
        """Identify the caller; see ``Access.check``.

        :raises Problem: 403 if the route works on the organization of a session and its member has
            no access to it.
        """
        now = self.api.system.clock()
        self.heads = {}
        heads, named = (self.heads, self._named()) if fresh else (None, ())
        if self.api_key is not None:
            self.known_caller = await self.api.access.check_key(
                self.api_key, self.client_info.ip, now, heads, named
            )
        else:
            sent = self.client_info.headers.get(b"authorization", b"")
            self.known_caller = await self.api.access.check(self.claims, now, heads, named, sent)
        return self.admitted()

    def admitted(self) -> Caller:
        """Return the caller.

        :raises Problem: 403 if the route works on the organization of a session and its member has
            no access to it.
        """
        if not isinstance(self.route_handler.opt[POLICY], Open):
            self.known_caller.refuse_if_barred()
        return self.known_caller

    async def newest(self, kind: type[S], stream: UUID) -> Loaded[S]:
        """Return the newest state of a stream of the caller's organization.

        That is as of the moment at which the caller was identified, if the path names the stream.

        :raises NotFound: it does not exist there.
        """
        states = self.api.system.commands.states
        return await states.newest(kind, stream, self.organization, self.heads)

    async def note_use(self, session_id: SessionId, user_id: UserId) -> None:
        """Note that this request used a session; see ``SessionUses``."""
        info = self.client_info
        at = self.api.system.clock()
        await self.api.session_uses.note(session_id, user_id, at, info.ip, info.user_agent)

    def _named(self) -> list[UUID]:
        """Return the ids in the path."""
        found = map(uuid_or_none, self.scope["path_params"].values())
        return [stream for stream in found if stream is not None]

    def context(self, caller: Caller, org_id: OrgId | None = None) -> Context:
        """Return the context that a command needs from this request.

        *org_id* is for the few commands on an organization other than the caller's current one.

        :raises Problem: for a malformed Idempotency-Key, If-Match or dry_run.
        """
        headers = self.client_info.headers
        dry_run, org_id = self.is_dry_run(), org_id or caller.org_id
        idempotency = None
        if b"idempotency-key" in headers and self.method not in READS:
            asked = self._idempotency(caller.actor.id, org_id or PLATFORM)
            idempotency = None if dry_run else asked
        return Context(
            actor=caller.actor,
            on_behalf_of=caller.user_id if caller.key is not None else None,
            scopes=caller.scopes,
            now=self.api.system.clock(),
            org_id=org_id,
            ip=self.client_info.ip,
            user_agent=self.client_info.user_agent,
            request_id=self.client_info.request_id,
            correlation_id=self.client_info.correlation_id,
            idempotency=idempotency,
            if_match=version_in(headers[b"if-match"]) if b"if-match" in headers else None,
            dry_run=dry_run,
            session_id=caller.session,
            origin=caller.origin,
            seen=caller.seen,
        )

    def _idempotency(self, actor: UUID, org_id: OrgId) -> Idempotency:
        """Return the Idempotency-Key as hashes.

        They are keyed, because a body may contain a password, and a plain hash of it, or of a key
        that people count up, could be guessed offline.
        """
        key = self.client_info.header(b"idempotency-key") or ""
        if _KEY.fullmatch(key) is None:
            raise malformed("Send Idempotency-Key as 1 to 255 printable ASCII characters.")
        pepper, whose = self.api.system.keys.pepper, actor.bytes + org_id.bytes + key.encode()
        key_hash = hmac.digest(pepper, b"idempotency key\0" + whose, "sha256")
        asked = b"\0".join(
            (
                self.scope["method"].encode(),
                self.scope["path"].encode(),
                self.scope["query_string"],
                self.client_info.body,
            )
        )
        return Idempotency(
            key_hash=key_hash,
            request_hash=hmac.digest(pepper, b"request\0" + asked, "sha256"),
        )

    def min_position(self) -> int:
        """Return the X-Min-Position of a query, 0 if there is none.

        :raises Problem: it is malformed.
        """
        asked = self.client_info.headers.get(b"x-min-position")
        if asked is None:
            return 0
        if _POSITION.fullmatch(asked) is None:
            raise malformed("Send X-Min-Position as a number that X-Position returned.")
        return int(asked)

    def is_dry_run(self) -> bool:
        """Return whether the request is a dry run, which only shows what a command would record."""
        query: bytes = self.scope["query_string"]
        if not query:
            return False
        asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get("dry_run")
        if asked not in (None, "true", "false"):
            raise invalid(FieldError("dry_run", "Expected true or false"))
        return asked == "true"

    def network_limits(self, name: str) -> list[Asked]:
        """Return the limit *name* for each network that the caller's address is in."""
        address = canonical(self.client_info.ip or "")
        if address is None:
            return [Asked(name, self.client_info.ip)]
        return [Asked(name, network, share) for network, share in networks_of(address)]

    async def limit(self, *asked: Asked) -> None:
        """Count this request against each of the limits that are *asked*.

        The response tells what the first limit leaves, or the one that is exceeded.

        :raises Problem: 429 if it exceeds a limit.
        """
        for allowance in await self.api.rates.take(*asked):
            if not self.client_info.rate_limit or not allowance.allowed:
                self.client_info.rate_limit = allowance.headers()
            if not allowance.allowed:
                detail = "Too many requests; slow down."
                headers = {"retry-after": str(allowance.wait_s)}
                raise Problem(429, "rate_limited", detail, headers=headers)


@lru_cache(4_096)
def uuid_or_none(given: UUID | str | int) -> UUID | None:
    """Return the UUID that *given* is, or that it is as text in canonical form, or None."""
    if isinstance(given, UUID):
        return given
    try:
        found = UUID(str(given))
    except ValueError:
        return None
    return found if str(found) == str(given).lower() else None
