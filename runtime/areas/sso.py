"""Settings of single sign-on."""

from typing import Annotated

from runtime.areas.files import FileSettings
from runtime.setting import Setting, WebOrigin
from security.oidc.name_server import NameServer


class SsoSettings(FileSettings, frozen=True, kw_only=True):
    """Where browsers return to, and who is asked for the proof of a domain."""

    api_url: Annotated[
        WebOrigin, Setting("API_URL", "where browsers reach this API: logins by SSO return there")
    ] = WebOrigin("http://127.0.0.1:3000")
    dns_servers: Annotated[
        tuple[NameServer, ...],
        Setting("DNS_SERVERS", "resolvers asked for proofs of domains; empty: those of the system"),
    ] = ()
