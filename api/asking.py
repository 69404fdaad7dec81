"""A request, with who sent it: what every route gets as its one aggregated dependency."""

import hmac
import ipaddress
import re
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from uuid import UUID, uuid5

from litestar.connection import Request
from litestar.enums import ParamType
from litestar.handlers.base import BaseRouteHandler
from litestar.params import ParameterKwarg

from api.access import Caller
from api.decoding import decode_body
from api.door import Door
from api.facts import Facts, facts_in
from api.policy import NO_DRY_RUN, POLICY, RATE, Open
from api.problem import FieldError, Problem, invalid, malformed, unauthorized
from commands.base import Context, Idempotency, NoOrganization, NotPermitted
from domain.base import OrgId
from domain.permission import Permission, is_allowed
from eventstore.identifiers import new_id
from eventstore.recorded import Actor, ActorKind
from security.tokens import AccessClaims, InvalidToken, TokenExpired

_COMMAND_NAMESPACE = UUID("b1c7a4e0-6c0e-5f0a-8d57-1e0a5b6f3c21")
_KEY = re.compile(r"[!-~]{1,255}")
_ETAG = re.compile(r'"?(\d{1,15})"?')
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Asking(Request[Any, Any, Any]):
    """One request. Its body is read strictly, its caller known before the route runs."""

    __slots__ = ("claims", "known_caller")

    door: ClassVar[Door]
    claims: AccessClaims
    known_caller: Caller

    @property
    def facts(self) -> Facts:
        return facts_in(self.scope)

    @property
    def caller(self) -> Caller:
        return self.known_caller

    async def own_organization(self) -> OrgId:
        """Return the organization that the caller works in, looked up just now.

        For commands that must know it beforehand; queries have looked it up already.

        :raises NoOrganization: when there is none.
        """
        if not self.known_caller.fresh:
            await self.let_in(fresh=True)
        return self.organization

    @property
    def organization(self) -> OrgId:
        """The organization that the caller of a query works in.

        :raises NoOrganization: when there is none.
        """
        if self.known_caller.org_id is None:
            raise NoOrganization
        return self.known_caller.org_id

    async def body(self) -> bytes:
        return self.facts.body

    async def json(self) -> Any:
        """Return the body as the type that the route declares, read strictly."""
        field = self.route_handler.parsed_data_field
        return None if field is None else decode_body(self.facts.body, field.annotation)

    async def let_in(self, *, fresh: bool) -> Caller:
        """Look up who asks; see ``Access.check``."""
        now = self.door.house.clock()
        self.known_caller = await self.door.access.check(self.claims, now, fresh=fresh)
        return self.known_caller

    def context(self, caller: Caller, org_id: OrgId | None = None) -> Context:
        """Return what a command needs to know of this request.

        *org_id* is for the rare command on an organization that the caller does not work in.

        :raises Problem: for a malformed Idempotency-Key, If-Match or dry_run.
        """
        headers = self.facts.headers
        dry_run = self.is_dry_run()
        idempotency = None
        if b"idempotency-key" in headers and not dry_run:
            idempotency = self.idempotency(caller.user_id.hex)
        return Context(
            actor=Actor(ActorKind.USER, caller.user_id),
            now=self.door.house.clock(),
            command_id=idempotency.command_id if idempotency else new_id(),
            org_id=org_id or caller.org_id,
            ip=self.facts.ip,
            user_agent=self.facts.user_agent,
            request_id=self.facts.request_id,
            idempotency=idempotency,
            if_match=self._if_match() if b"if-match" in headers else None,
            dry_run=dry_run,
            seen=caller.seen,
        )

    def idempotency(self, actor: str) -> Idempotency | None:
        """Return the Idempotency-Key of *actor*, if there is one.

        The hashes are keyed: a body may hold a password, and a plain hash of it could be
        guessed offline.
        """
        key = self.facts.header(b"idempotency-key")
        if key is None:
            return None
        if _KEY.fullmatch(key) is None:
            raise malformed("Idempotency-Key is 1 to 255 printable ASCII characters.")
        pepper, whose = self.door.house.keys.pepper, f"{actor}|{key}"
        asked = b"\0".join(
            (
                self.scope["method"].encode(),
                self.scope["path"].encode(),
                self.scope["query_string"],
                self.facts.body,
            )
        )
        return Idempotency(
            key=key,
            reply_key=hmac.digest(pepper, whose.encode(), "sha256"),
            request_hash=hmac.digest(pepper, asked, "sha256"),
            command_id=uuid5(_COMMAND_NAMESPACE, whose),
        )

    def is_dry_run(self) -> bool:
        """Say whether the request only asks what a command would record."""
        query: bytes = self.scope["query_string"]
        if not query:
            return False
        asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get("dry_run")
        if asked not in (None, "true", "false"):
            raise invalid(FieldError("dry_run", "Expected true or false"))
        return asked == "true"

    def _if_match(self) -> int | None:
        asked = self.facts.header(b"if-match") or ""
        if asked == "*":
            return None
        match = _ETAG.fullmatch(asked)
        if match is None:
            raise malformed('If-Match is one version as an ETag gave it, such as "3".')
        return int(match[1])


async def guard(connection: Request[Any, Any, Any]) -> None:
    """Let a request in or refuse it, before its body is looked at.

    Runs before each route. Litestar's own guards copy the route for every request, which takes
    longer than all of this; that no route goes without is checked at start.

    :raises Problem: 401, 403, 422 or 429.
    """
    assert isinstance(connection, Asking)  # noqa: S101 - the application's request class
    method = connection.scope["method"]
    if method == "OPTIONS":
        return
    handler = connection.route_handler
    policy = handler.opt[POLICY]
    door = connection.door
    if policy is Open.PUBLIC:
        if handler.opt[RATE]:
            door.limit(handler.opt[RATE], network_of(connection.facts.ip))
        _check_query(connection, handler)
        return
    connection.claims = _claims(connection)
    caller = await connection.let_in(fresh=method in READS)
    door.limit("api", caller.user_id)
    _check_query(connection, handler)
    if method in READS and isinstance(policy, Permission):
        if caller.role is None:
            raise NoOrganization
        if not is_allowed(caller.role, policy):
            raise NotPermitted(needs=policy)


def _claims(connection: Asking) -> AccessClaims:
    authorization = connection.facts.headers.get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise unauthorized()
    house = connection.door.house
    try:
        return house.keys.tokens.verify(token.decode("latin-1"), house.clock())
    except TokenExpired:
        raise unauthorized("token_expired") from None
    except InvalidToken:
        raise unauthorized() from None


@lru_cache(256)
def _parameters_of(handler: BaseRouteHandler) -> frozenset[str]:
    """Return the names of the query parameters that a route knows."""
    names: set[str] = set()
    if not READS & handler_methods(handler) and not handler.opt.get(NO_DRY_RUN):
        names.add("dry_run")
    for name, field in handler.parsed_fn_signature.parameters.items():
        definition = field.kwarg_definition
        if isinstance(definition, ParameterKwarg) and definition.param_type is not ParamType.PATH:
            names.add(definition.name or name)
    return frozenset(names)


def handler_methods(handler: BaseRouteHandler) -> set[str]:
    """Return the methods that a route answers."""
    return {str(method) for method in getattr(handler, "http_methods", ())}


def network_of(ip: str | None) -> str:
    """Return what one subscriber has: an IPv4 address, or an IPv6 network of 56 bits."""
    if ip is None or ":" not in ip:
        return ip or ""
    try:
        return str(ipaddress.ip_network(f"{ip}/56", strict=False))
    except ValueError:
        return ip


def _check_query(connection: Asking, handler: BaseRouteHandler) -> None:
    """Refuse parameters that are repeated, unknown or not to be read.

    A misspelt filter would silently show everything.
    """
    query: bytes = connection.scope["query_string"]
    if not query:
        return
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise malformed("The query string is not valid.") from None
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid(FieldError(twice, "The parameter is there more than once"))
    unknown = set(names) - _parameters_of(handler)
    if unknown:
        raise invalid(*(FieldError(name, "Unknown parameter") for name in sorted(unknown)))
    if any("\0" in value for _, value in pairs):
        raise invalid(FieldError("query", "A text must not contain NUL characters"))


__all__ = ["Asking", "Problem", "guard", "network_of"]
