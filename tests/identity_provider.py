"""An OpenID provider on a real socket, honest unless a test makes it lie.

    async with IdentityProvider() as provider:
        provider.people["ben"] = {"email": "ben@acme.example", "email_verified": True}
        callback = provider.log_in(location, "ben")   # as if Ben had typed his password there

It checks what a provider has to check: client, redirect, single use of codes, and PKCE (RFC 7636).
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.deliveries.receiver import Received, Receiver, Reply

CLIENT_ID = "trackrecord"
CLIENT_SECRET = "s3cret-of-the-client"
Claims = dict[str, Any]
_ALGORITHM = "ES256"


def new_key(kid: str) -> ECKey:
    """Return a key pair with which a provider signs."""
    return ECKey.generate_key("P-256", parameters={"kid": kid, "use": "sig"})


class IdentityProvider:
    """Listens on 127.0.0.1 while the `async with` block runs."""

    def __init__(
        self, *, client_id: str = CLIENT_ID, texts: dict[str, list[str]] | None = None
    ) -> None:
        self.client_id = client_id
        self.texts = {} if texts is None else texts  # of the DNS of its people's domains
        self.people: dict[str, Claims] = {}
        self.keys = [new_key("first")]
        self.metadata: Claims = {}  # replaces parts of what it says about itself
        self.lie: Callable[[Claims], Claims] = lambda claims: claims  # changes the claims it signs
        self.sign: Callable[[Claims], str] = self.signed
        self.replies: dict[str, Reply] = {}  # answers to paths, instead of the honest ones
        self.sends_iss = True
        self.has_userinfo = False
        self.only_userinfo: set[str] = set()  # claims that its ID tokens lack
        self._bearers: dict[str, str] = {}  # subjects by access token
        self._codes: dict[str, dict[str, str]] = {}
        # A free port is that of an earlier provider now and then, and processes remember issuers.
        self._realm = f"/realms/{secrets.token_hex(8)}"
        self._receiver = Receiver()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._receiver.port}{self._realm}"

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [received.path.removeprefix(self._realm) for received in self.requests]

    @property
    def requests(self) -> list[Received]:
        return self._receiver.requests

    async def __aenter__(self) -> Self:
        self._receiver.answer_by(self._answer)
        await self._receiver.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._receiver.__aexit__()

    def log_in(self, location: str, subject: str) -> str:
        """Return where the browser is sent after *subject* logged in on the page at *location*."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["client_id"] == self.client_id
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = hashlib.sha256(f"{asked['state']}{subject}{len(self._codes)}".encode()).hexdigest()
        self._codes[code] = {**asked, "subject": subject}
        back = {"code": code, "state": asked["state"], "session_state": "not ours"}
        if self.sends_iss:
            back["iss"] = self.issuer
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def signed(self, claims: Claims, **header: Any) -> str:
        """Return an ID token with the newest key."""
        key = self.keys[-1]
        return jwt.encode({"alg": _ALGORITHM, "kid": key.kid, **header}, claims, key)

    def _answer(self, received: Received) -> Reply:
        path = received.path.removeprefix(self._realm)
        if path in self.replies:
            return self.replies[path]
        match path:
            case "/.well-known/openid-configuration":
                return _json(self._about_itself())
            case "/jwks":
                return _json(KeySet([*self.keys]).as_dict(private=False))
            case "/token":
                return self._token(received)
            case "/userinfo":
                return self._userinfo(received)
            case _:
                return Reply(status=404)

    def _about_itself(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.has_userinfo else {}),
            "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": self.sends_iss,
            **self.metadata,
        }

    def _token(self, received: Received) -> Reply:
        form = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        basic = base64.b64encode(f"{self.client_id}:{CLIENT_SECRET}".encode()).decode()
        in_form = (form.get("client_id"), form.get("client_secret"))
        proved_client = received.headers.get("authorization") == f"Basic {basic}"
        if not proved_client and in_form != (self.client_id, CLIENT_SECRET):
            return _json({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        if (
            asked is None
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != proved
        ):
            return _json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": asked["subject"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.people[asked["subject"]],
        }
        if "max_age" in asked:
            claims["auth_time"] = now
        told = {name: value for name, value in claims.items() if name not in self.only_userinfo}
        bearer = secrets.token_urlsafe(16)
        self._bearers[bearer] = asked["subject"]
        token = self.sign(self.lie(told))
        return _json({"access_token": bearer, "token_type": "Bearer", "id_token": token})

    def _userinfo(self, received: Received) -> Reply:
        kind, _, bearer = received.headers.get("authorization", "").partition(" ")
        subject = self._bearers.get(bearer)
        if kind != "Bearer" or subject is None:
            return _json({"error": "invalid_token"}, 401)
        return _json({"sub": subject, **self.people[subject]})


def _json(value: Any, status: int = 200) -> Reply:
    body = json.dumps(value).encode()
    return Reply(status=status, headers={"Content-Type": "application/json"}, body=body)
