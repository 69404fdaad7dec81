"""Identity providers: what they say about themselves, their keys, and the exchange of a code.

OpenID Connect Discovery 1.0 and Core 1.0 by the code flow with PKCE (RFC 7636, S256). Authlib
builds the requests and checks the claims, joserfc the signatures.
"""

import re
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol, TypeVar, cast

import msgspec
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]  # has no types
from joserfc.jwk import KeySet
from msgspec import Meta, Struct

from api.login.sso.exchange import Exchange, ProviderFailed
from security.oidc.id_token import (
    Expected,
    IdTokenRefused,
    UnknownKey,
    provider_keys,
    verified_claims,
)

D = TypeVar("D")

CACHED_FOR = timedelta(minutes=10)
"""How long metadata and keys are used before they are fetched again. A token by a key that is not
among them has them fetched at once, because providers may exchange their keys at any time."""

_PROVIDERS_MAX = 1_000
_WELL_KNOWN = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, section 4
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_Url = Annotated[str, Meta(max_length=2048)]


class ProofRefused(Exception):
    """The provider does not prove who a person is, or refused them; *reason* is a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderMetadata(Struct, frozen=True):
    """What a provider says about itself, as far as we use it."""

    issuer: _Url
    authorization_endpoint: _Url
    token_endpoint: _Url
    jwks_uri: _Url
    userinfo_endpoint: _Url | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def auth_method(self) -> str:
        """How we prove to be the client: in a header if the provider takes that."""
        basic = "client_secret_basic" in self.token_endpoint_auth_methods_supported
        return "client_secret_basic" if basic else "client_secret_post"


class ProviderClient(Struct, frozen=True):
    """Who we are to a provider."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    redirect_uri: str


class LoginRequest(Struct, frozen=True):
    """What is particular to one login."""

    state: str
    nonce: str
    verifier: str


class _Answer(Struct, frozen=True):
    """What the token endpoint answers."""

    id_token: str | None = None
    access_token: str | None = None
    error: str | None = None


class _ClientAuth(Protocol):
    def prepare(
        self, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]: ...


class _Cached(Struct):
    """What was fetched of one provider, and when."""

    metadata: ProviderMetadata
    at: datetime
    keys: KeySet | None = None


class _GuardedClient(OAuth2Client):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client, which sends its form through our exchange."""

    async def _fetch_token(
        self,
        url: str,
        body: str = "",
        headers: dict[str, str] | None = None,
        auth: Any = None,
        **_: object,
    ) -> tuple[int, bytes]:
        """Send *body*, to which *auth* adds who we are; return status and body of the answer."""
        prove = cast(_ClientAuth, auth).prepare
        uri, sent_headers, form = prove("POST", url, dict(headers or {}), body)
        return await cast(Exchange, self.session).post(uri, sent_headers, form)


class Providers:
    """The identity providers that a process has asked lately."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._cached: OrderedDict[str, _Cached] = OrderedDict()

    async def authorization_url(
        self, client: ProviderClient, asked: LoginRequest, now: datetime, *, fresh: bool
    ) -> str:
        """Return where the person logs in; if *fresh*, although they are logged in there.

        :raises ProviderFailed: the provider cannot be used.
        """
        metadata = (await self._known(client.issuer, now)).metadata
        extra: dict[str, str] = {"max_age": "0", "prompt": "login"} if fresh else {}
        url, _ = self._client(client, metadata).create_authorization_url(
            metadata.authorization_endpoint,
            state=asked.state,
            code_verifier=asked.verifier,
            nonce=asked.nonce,
            **extra,
        )
        return str(url)

    async def refuse_mixed_up(self, issuer: str, sent: str | None, now: datetime) -> None:
        """Refuse a response that another provider sent (RFC 9207).

        :raises ProofRefused: it names another one, or none although this one always does.
        :raises ProviderFailed: the provider cannot be used.
        """
        metadata = (await self._known(issuer, now)).metadata
        if sent is None:
            if metadata.authorization_response_iss_parameter_supported:
                raise ProofRefused("missing_iss")
        elif sent != issuer:
            raise ProofRefused("wrong_iss")

    async def claims(
        self,
        client: ProviderClient,
        asked: LoginRequest,
        code: str,
        needed: Collection[str],
        now: datetime,
    ) -> dict[str, Any]:
        """Return the claims of the ID token that the provider gives for *code*.

        If it lacks one that is *needed*, what the userinfo endpoint says is added.

        :raises ProofRefused: it gives none, or one that is not for this login.
        :raises ProviderFailed: the provider cannot be used.
        """
        known = await self._known(client.issuer, now)
        answer = await self._exchanged(client, known.metadata, asked, code)
        if answer.id_token is None:
            raise ProofRefused("no_id_token")
        expected = Expected(client.issuer, client.client_id, asked.nonce, answer.access_token)
        try:
            keys = await self._keys(known)
            try:
                claims = verified_claims(answer.id_token, keys, expected, now)
            except UnknownKey:
                known.keys = None
                claims = verified_claims(answer.id_token, await self._keys(known), expected, now)
        except IdTokenRefused as refused:
            raise ProofRefused(refused.reason) from None
        if all(name in claims for name in needed):
            return claims
        return {**await self._userinfo(known.metadata, answer, claims.get("sub")), **claims}

    async def _userinfo(
        self, metadata: ProviderMetadata, answer: _Answer, subject: Any
    ) -> dict[str, Any]:
        """Return what the userinfo endpoint says; nothing if the provider has none.

        :raises ProofRefused: it speaks of somebody else (OpenID Connect Core 1.0, section 5.3.2).
        :raises ProviderFailed: it does not answer, or not in JSON.
        """
        token = answer.access_token
        if metadata.userinfo_endpoint is None or token is None or not _BEARER.fullmatch(token):
            return {}
        headers = {"Authorization": f"Bearer {token}"}
        told = _decoded(
            await self._exchange.get(metadata.userinfo_endpoint, headers), dict[str, Any]
        )
        if told.get("sub") != subject:
            raise ProofRefused("userinfo_of_another")
        return told

    async def _exchanged(
        self, client: ProviderClient, metadata: ProviderMetadata, asked: LoginRequest, code: str
    ) -> _Answer:
        status, body = await self._client(client, metadata).fetch_token(
            metadata.token_endpoint,
            grant_type="authorization_code",
            code=code,
            code_verifier=asked.verifier,
        )
        answer = _decoded(body, _Answer)
        if status != 200 or answer.error is not None:
            raise ProofRefused("code_refused" if status < 500 else "provider_error")
        return answer

    async def _known(self, issuer: str, now: datetime) -> _Cached:
        known = self._cached.get(issuer)
        if known is None or not timedelta() <= now - known.at < CACHED_FOR:
            found = _decoded(
                await self._exchange.get(issuer.rstrip("/") + _WELL_KNOWN), ProviderMetadata
            )
            if found.issuer != issuer:  # OpenID Connect Discovery 1.0, section 4.3
                raise ProviderFailed("provider_is_another")
            known = self._cached[issuer] = _Cached(found, now)
        self._cached.move_to_end(issuer)
        if len(self._cached) > _PROVIDERS_MAX:
            self._cached.popitem(last=False)
        return known

    async def _keys(self, known: _Cached) -> KeySet:
        if known.keys is None:
            known.keys = provider_keys(await self._exchange.get(known.metadata.jwks_uri))
        return known.keys

    def _client(
        self, client: ProviderClient, metadata: ProviderMetadata
    ) -> Any:  # Authlib has no types
        return _GuardedClient(
            self._exchange,
            client_id=client.client_id,
            client_secret=client.client_secret,
            token_endpoint_auth_method=metadata.auth_method,
            scope=" ".join(client.scopes),
            redirect_uri=client.redirect_uri,
            code_challenge_method="S256",
        )


def _decoded(body: bytes, kind: type[D]) -> D:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise ProviderFailed("provider_malformed") from None
