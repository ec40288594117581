"""IP addresses: parsing as servers and proxies write them, and whether one belongs to the public internet.

IANA's registries decide which networks are special. They are data of this package, so the result does not depend on the
Python version: each version of the module ``ipaddress`` has a different copy.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django_roomchat.identity import ip_addresses_data

IPAddress = IPv4Address | IPv6Address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""The only IPv6 space from which IANA allocates addresses of the internet (RFC 4291, section 2.4)."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""Addresses that end with the IPv4 address to which a translator connects (RFC 6052)."""
_IPV4_MULTICAST = IPv4Network("224.0.0.0/4")
_Networks = list[tuple[IPv4Network | IPv6Network, bool]]


def _most_specific_first(rows: tuple[tuple[str, bool], ...]) -> _Networks:
    networks = [(ip_network(written), is_reachable) for written, is_reachable in rows]
    return sorted(networks, key=lambda row: -row[0].prefixlen)


_SPECIAL = {
    4: _most_specific_first(ip_addresses_data.IPV4),
    6: _most_specific_first(ip_addresses_data.IPV6),
}


def parse_ip(written: str) -> IPAddress | None:
    """Parse an IP address, with or without brackets, port and zone.

    Args:
        written: an address such as ``192.0.2.1:4711``, ``[2001:db8::1]:4711`` or ``fe80::1%eth0``.

    Returns:
        The address; an IPv4-mapped IPv6 address as its IPv4 address. ``None`` if the text is not an address.
    """
    text = written.strip()
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        is_address = bool(bracket) and port[:1] in ("", ":")
    else:
        is_address = True
        if text.count(":") == 1:
            text = text.partition(":")[0]
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not is_address:
        return None
    return ip if isinstance(ip, IPv4Address) else ip.ipv4_mapped or ip


def is_public(ip: IPAddress) -> bool:
    """Return whether an IP address belongs to the public internet, as IANA's registries define it.

    An IPv6 address that contains the IPv4 address of the real destination (mapped, NAT64) is as public as that one.
    """
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return is_public(IPv4Address(int(ip) & 0xFFFF_FFFF))
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip not in _GLOBAL_UNICAST:
            return False
    elif ip in _IPV4_MULTICAST:
        return False
    return next((is_reachable for network, is_reachable in _SPECIAL[ip.version] if ip in network), True)
