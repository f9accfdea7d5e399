"""Where somebody asks from, as far as it costs them something to ask from elsewhere."""

import ipaddress

NETWORK_BITS = 64
"""Bits of an IPv6 address that are given to a household (RFC 6177); the rest it chooses as it likes."""


def neighbourhood(address: str) -> str:
    """Return the IPv4 address, or the network of an IPv6 one; what is neither is returned as it is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, NETWORK_BITS), strict=False))
