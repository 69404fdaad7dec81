"""The networks that a person logged in from before, kept beside the log under their key."""

from typing import NamedTuple

import msgspec

from api.http.request import ApiRequest
from commands.identity.personal_secrets import PersonalSecrets
from commands.identity.session import KNOWN_NETWORKS
from domain.base import UserId
from domain.identity.device import device_name
from domain.identity.user.events import NewNetworkSeen
from security.addresses import canonical, neighbourhood_of

KNOWN_NETWORKS_MAX = 20
"""The ones used last; whoever moves that much is not told about each."""

_decode = msgspec.json.Decoder(list[str]).decode


class SeenNetwork(NamedTuple):
    """The networks to keep, sealed, and the news of a new one; None: nothing to keep or tell."""

    kept: bytes | None = None
    news: NewNetworkSeen | None = None


async def seen_network(request: ApiRequest, user_id: UserId) -> SeenNetwork:
    """Return what a login from the network of *request* changes.

    The first network of an account is no news.
    """
    info, secrets = request.client_info, PersonalSecrets(request.api.system.log)
    address = canonical(info.ip or "")
    if address is None:
        return SeenNetwork()
    network = str(neighbourhood_of(address))
    known = await known_networks(request, user_id)
    if network in known:
        return SeenNetwork()
    kept = msgspec.json.encode([network, *known][:KNOWN_NETWORKS_MAX])
    sealed = await secrets.sealed(user_id, user_id, KNOWN_NETWORKS, kept)
    news = NewNetworkSeen(network=network, device=device_name(info.user_agent)) if known else None
    return SeenNetwork(sealed, news)


async def known_networks(request: ApiRequest, user_id: UserId) -> list[str]:
    """Return the networks that somebody logged in from, the one used last first."""
    secrets = PersonalSecrets(request.api.system.log)
    found = await secrets.opened(user_id, user_id, KNOWN_NETWORKS)
    return [] if found is None else _decode(found)
