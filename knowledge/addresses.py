"""Which web addresses may be asked: the rules that keep a fetch on the public internet."""

import asyncio
import re
import socket
from collections.abc import Collection, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL_4 = tuple(
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # public by number, but Azure's own host answers there
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
"""All that is handed out. Outside it: loopback, mapped, compatible and translated IPv4, local and multicast."""
_SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_LONGEST = 2000


class WebError(RuntimeError):
    """Nothing can be had from an address; `code` is stable, the message says what to do.

    `url`, `private`, `unresolved`: it may not be asked or does not exist. `unreachable`, `tls`, `slow`, `broken`,
    `status`, `redirects`: the server's fault. `too_large`, `type`, `encoding`, `sitemap`, `too_many`: what came is
    not for us. `robots`, `elsewhere`: the site's owner, or the sitemap's reach, forbids it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Networks from their names, such as `10.1.0.0/16`; ValueError for one that is none."""
    return tuple(map(ip_network, names))


def permitted(address: Address, allow: Collection[Network] = ()) -> bool:
    """Is it public, or in a network that the operator has opened?"""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    if any(address in network for network in allow):
        return True
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    return address in _GLOBAL_6 and not any(address in network for network in _SPECIAL_6)


def checked(text: str, ports: Collection[int]) -> httpx.URL:
    """The address without its fragment. WebError(`url`) for anything but a plain web address."""
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise WebError("url", f"this is not a web address: {error}") from error
    host = url.raw_host.decode("ascii", "replace")
    if url.scheme not in ("http", "https") or not host:
        raise WebError("url", "a web address begins with http:// or https:// and a host name")
    if url.userinfo:
        raise WebError("url", "the address has a user name or password in it; give one without")
    if not _HOST.fullmatch(host) or len(str(url)) > _LONGEST:
        raise WebError("url", "the address's host name is not one, or the address is too long")
    if _port(url) not in ports:
        raise WebError("url", f"port {_port(url)} is not open to fetching; {_listed(ports)} are")
    return url.copy_with(fragment=None)


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the system says: the addresses of a host, each once; OSError or ValueError where it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def literal(host: str) -> Address | None:
    """The address that a host is itself, in any spelling that a system takes for one; None for a name."""
    if ":" in host:
        return _literal_6(host)
    host = host.removesuffix(".")
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError as error:
        raise WebError("url", "the address's host is a number but no IP address") from error


def vetted(found: Iterable[str], allow: Collection[Network]) -> list[str]:
    """The addresses found for a host; WebError(`private`) when one of them may not be asked."""
    addresses = [ip_address(address) for address in found]
    if not addresses:
        raise WebError("unresolved", "the host name has no address; check its spelling")
    if not all(permitted(address, allow) for address in addresses):
        raise WebError("private", "the host is not on the public internet; the operator can allow its network")
    return list(map(str, addresses))


def _literal_6(host: str) -> IPv6Address:
    try:
        return IPv6Address(host)
    except ValueError as error:
        raise WebError("url", "the address's host is not an IPv6 address") from error


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _listed(ports: Collection[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
