"""Limits on attempts to log in, with an exemption for known devices."""

from msgspec import Struct

from api.http.rates import Asked
from api.http.request import ApiRequest
from api.login.cookie import SecretCookie, device_cookie
from api.login.errand import send_on_errand
from commands.base import Context
from commands.identity.errand import ErrandKind
from commands.identity.user import RecordFailedLogin
from domain.base import OrgId, UserId
from domain.identity.user.state import User
from eventstore.recorded import Actor, ActorKind
from runtime.system import System
from security.addresses import canonical, neighbourhood_of
from security.known_device import DEVICE_LIFETIME, device_of, mint_device
from security.mail_address import canonical_address


class LoginAttempt(Struct, frozen=True):
    """An attempt to log in to an account, whether it exists or not.

    ``account`` is the fingerprint of its address. ``network`` is that of the caller: 24 bits of an
    IPv4 address or 56 of an IPv6 one, because a narrower one is cheap to change. ``device`` is the
    id of the device if the account logged in on it before.
    """

    account: bytes
    network: str
    device: str | None

    @property
    def key(self) -> tuple[bytes, str]:
        """The key under which failures are counted.

        It includes where the attempt is from, so that nobody can lock out people elsewhere.
        """
        return self.account, self.device or self.network

    @property
    def anywhere(self) -> tuple[bytes, str | None]:
        """The key under which failures are counted wherever they come from.

        A known device has its own, so that strangers cannot use up what is left for it.
        """
        return self.account, self.device


async def admit(request: ApiRequest, email: str) -> LoginAttempt:
    """Count an attempt to log in with *email*.

    A known device is not slowed down by what others in its network do.

    :raises Problem: 429 after too many failures.
    """
    attempt = attempt_of(request, email)
    by_place = request.network_limits("login")
    if attempt.device is not None:
        by_place = [Asked("login", attempt.device)]
    await request.limit(
        *by_place, Asked("account", attempt.key), Asked("failures", attempt.anywhere)
    )
    return attempt


async def unlock(request: ApiRequest, email: str) -> None:
    """Forget all failed logins to the account with *email*, except those of known devices."""
    stranger = LoginAttempt(_account(request.api.system, email), "", None)
    await request.api.rates.forget("failures", stranger.anywhere)


def _account(system: System, email: str) -> bytes:
    return system.log.keys.fingerprint("login", canonical_address(email))


def attempt_of(request: ApiRequest, email: str) -> LoginAttempt:
    """Return the attempt that a request with this address is, without counting it."""
    system = request.api.system
    account = _account(system, email)
    token = device_cookie_of(system).read(request) or ""
    device = device_of(system.keys.devices, token, account, system.clock())
    address = canonical(request.client_info.ip or "")
    if address is None:
        return LoginAttempt(account, request.client_info.ip or "", device)
    return LoginAttempt(account, str(neighbourhood_of(address)), device)


async def failed(request: ApiRequest, attempt: LoginAttempt, email: str) -> None:
    """Record a failed login together with others of the same minute, if there is an account.

    A worker looks for it: the same is done for an address that nobody has.
    """
    count = request.api.failed_logins.add(attempt.account, request.api.system.clock())
    if count:
        address = canonical_address(email)
        await send_on_errand(request, ErrandKind.FAILED_LOGIN, address, count)


async def succeeded(
    request: ApiRequest, user_id: UserId, user: User, attempt: LoginAttempt
) -> None:
    """Forget the failures before a good login, and record those that are not recorded yet."""
    await request.api.rates.forget("account", attempt.key)
    await request.api.rates.forget("failures", attempt.anywhere)
    count = request.api.failed_logins.end(attempt.account)
    if count:
        command = RecordFailedLogin(user_id=user_id, count=count)
        context = context_as(request, user_id, user.home_organization_id)
        await request.api.system.commands.handle(command, context)


def remembered(system: System, attempt: LoginAttempt) -> tuple[bytes, bytes]:
    """Return the cookie by which the device of a good login is known from now on."""
    now = system.clock()
    token = mint_device(system.keys.devices, attempt.account, now, attempt.device)
    return device_cookie_of(system).set(token)


def device_cookie_of(system: System) -> SecretCookie:
    """Return the cookie of known devices as configured for this deployment."""
    return device_cookie(secure=system.settings.cookie_secure, lifetime=DEVICE_LIFETIME)


def context_as(request: ApiRequest, user_id: UserId, org_id: OrgId | None = None) -> Context:
    """Return the context of a command by *user_id*, who is not authenticated yet."""
    return Context(
        actor=Actor(ActorKind.USER, user_id),
        now=request.api.system.clock(),
        org_id=org_id,
        ip=request.client_info.ip,
        user_agent=request.client_info.user_agent,
        request_id=request.client_info.request_id,
    )
