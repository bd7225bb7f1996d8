"""Which addresses Web Push may be sent to: a subscription is the phone's word, and the server goes where it points."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

KNOWN_HOSTS = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
MOST_CHARACTERS = 1000

# Narrower than any parser of URLs, so that no two can disagree about where an address leads.
_ADDRESS = re.compile(r"https://([a-z0-9][a-z0-9.-]*[a-z0-9])(:[0-9]{1,5})?/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


class PushHosts:
    """The push services of browsers, and those the operator names: `host`, `*.host` or `host:port`."""

    def __init__(self, more: Sequence[str] = ()) -> None:
        for host in more:
            if not _HOST.fullmatch(host):
                message = f"{host!r} is no host: write push.example.com, *.push.example.com or push.example.com:8443"
                raise ValueError(message)
        self._patterns = (*KNOWN_HOSTS, *more)

    def service_of(self, address: str) -> str | None:
        """Answer which of the hosts an address leads to, None when it may not be used."""
        read = _ADDRESS.fullmatch(address) if len(address) <= MOST_CHARACTERS else None
        if read is None:
            return None
        host, port = read.group(1), read.group(2) or ""
        place = host if port == ":443" else host + port
        return next((pattern for pattern in self._patterns if _fits(place, pattern)), None)


def _fits(place: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return place.endswith(pattern[1:]) and len(place) > len(pattern) - 1
    return place == pattern


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet, also where it is wrapped in another."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _TRANSLATED:
            wrapped = IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast
