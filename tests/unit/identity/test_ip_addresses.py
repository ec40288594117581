"""IP addresses: how they are written, and which of them are public."""

import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from django_roomchat.identity import ip_addresses_data
from django_roomchat.identity.ip_addresses import is_public, parse_ip

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
    ],
)
def test_an_address_is_parsed_without_port_brackets_and_zone(written, address):
    assert parse_ip(written) == ip_address(address)


@pytest.mark.parametrize(
    "written", ["", "unix:", "unknown", "_hidden", "[2001:db8::1", "[2001:db8::1]x", "192.0.2", "a:b:c"]
)
def test_a_text_that_is_no_address_is_not_parsed(written):
    assert parse_ip(written) is None


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14", "172.32.0.1", "192.0.0.9", "223.255.255.255", "2606:2800:21f:cb07::1", "2001:3::1", "2001:20::1",
        "::ffff:93.184.215.14", "64:ff9b::5db8:d70e",
    ],
)  # fmt: skip
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        # Private networks, this machine, and the rest of the IPv4 registry.
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1",
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "240.0.0.1", "224.0.0.1", "255.255.255.255",
        # The IPv6 registry, among it networks that no Python before 3.13 or 3.14 knows.
        "::", "::1", "fe80::1", "fc00::1", "ff02::1", "100::1", "100:0:0:1::1", "2001:2::1", "2001:db8::1", "3fff::1", "5f00::1",
        # Space that IANA does not allocate, among it the former site-local addresses.
        "fec0::1", "4000::1", "::7f00:1",
        # Addresses that contain an IPv4 address.
        "::ffff:127.0.0.1", "::ffff:169.254.1.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::5db8:d70e", "2002:7f00:1::",
        "2002:5db8:d70e::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_addresses_of_this_machine_and_of_special_networks_are_not_public(address):
    assert not is_public(ip_address(address))


def test_the_most_specific_network_of_the_registry_decides():
    """192.0.0.0/24 is not reachable, and the address 192.0.0.9 in it is."""
    assert [is_public(ip_address(f"192.0.0.{last}")) for last in (9, 10, 11)] == [True, True, False]


def test_the_table_is_generated_from_the_registries():
    check = [sys.executable, ROOT / "tools" / "ip_addresses.py", "--check"]

    done = subprocess.run(check, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert (len(ip_addresses_data.IPV4), len(ip_addresses_data.IPV6)) == (26, 25)
