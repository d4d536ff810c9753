"""Where callbacks may go (reliability.md, section 4)."""

import asyncio
import contextlib
import socket
import threading
from ipaddress import ip_address

import pytest

from core.errors import PeerRefused
from partner_api.dispatch import addresses
from partner_api.dispatch.addresses import CheckedResolver, Guard, is_our_own, kind_of
from tests.case import AsyncioTestCase


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("192.0.2.1", "private"),
        ("198.18.0.1", "private"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("fec0::1", "private"),
        ("2001:db8::1", "private"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("169.254.169.254", "link-local"),
        ("168.63.129.16", "a cloud's own"),
        ("192.0.0.192", "a cloud's own"),
        ("100.100.100.200", "a cloud's own"),
        ("fd00:ec2::254", "a cloud's own"),
        ("fd20:ce::254", "a cloud's own"),
        ("::ffff:168.63.129.16", "a cloud's own"),
        ("64:ff9b::a83f:8110", "a cloud's own"),
        ("fd00:ec2::255", "private"),
        ("168.63.129.17", ""),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::7f00:1", "reserved"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:169.254.169.254", "link-local"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::1", "private"),
        ("2002:7f00:1::", "a tunnel"),
        ("2001:0:4136:e378::1", "a tunnel"),
        ("93.184.216.34", ""),
        ("2606:2800:220:1::1", ""),
        ("::ffff:93.184.216.34", ""),
        ("64:ff9b::5db8:d822", ""),
    ],
)
def test_each_address_has_its_kind(address: str, kind: str) -> None:
    assert kind_of(ip_address(address)) == kind


def test_an_address_of_our_own_interface_is_known_as_such() -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"):
        assert is_our_own(ip_address(address)), address
    for address in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"):
        assert not is_our_own(ip_address(address)), address


def test_an_address_of_our_own_is_no_place_for_a_callback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Where a datagram to the next network would come from, if there is a way; no datagram is sent.
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.99", 9))
        ours = ip_address(probe.getsockname()[0])

    assert ours.is_unspecified or is_our_own(ours)
    assert Guard(allow_private=False).judge(str(ours)) != ""


def test_private_addresses_may_be_allowed_but_never_those_of_a_cloud() -> None:
    guard = Guard(allow_private=True)

    allowed = [guard.problem_of_host(host) for host in ("127.0.0.1", "10.0.0.1", "::1", "100.64.0.1")]
    never = ("169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "100.100.100.200", "fd00:ec2::254")
    refused = [guard.problem_of_host(host) for host in never]

    assert allowed == [""] * 4
    assert refused[0] == "the address 169.254.169.254 is link-local; callbacks go to public addresses only"
    assert all(refused)


def test_the_setting_that_would_allow_an_address_is_named_where_it_helps() -> None:
    guard = Guard(allow_private=False)

    assert guard.problem_of_host("127.0.0.1") == (
        "the address 127.0.0.1 is loopback; "
        "callbacks go to public addresses only, or set dispatch.allow_private_addresses = true"
    )
    assert guard.problem_of_host("169.254.169.254").endswith("callbacks go to public addresses only")


class Resolving(AsyncioTestCase):
    """Names, by a look-up of the test's own."""

    async def test_the_addresses_of_a_name_are_those_that_were_checked(self) -> None:
        resolver = CheckedResolver(Guard(allow_private=False), lambda name: ["93.184.216.34", "2606:2800:220:1::1"])

        assert await resolver.resolve("partner.example", "acme") == ["93.184.216.34", "2606:2800:220:1::1"]
        await resolver.close()

    async def test_one_forbidden_address_refuses_the_whole_name(self) -> None:
        resolver = CheckedResolver(Guard(allow_private=False), lambda name: ["93.184.216.34", "10.1.2.3"])

        with pytest.raises(PeerRefused, match=r"partner.example leads to the address 10.1.2.3, which is private;"):
            await resolver.resolve("partner.example", "acme")
        await resolver.close()

    async def test_a_name_that_cannot_be_resolved_is_a_sentence(self) -> None:
        def fail(name: str) -> list[str]:
            raise OSError(-2, "Name or service not known")

        resolver = CheckedResolver(Guard(allow_private=False), fail)

        with pytest.raises(PeerRefused, match=r"^the name no.example cannot be resolved: Name or service not known$"):
            await resolver.resolve("no.example", "acme")
        await resolver.close()

    async def test_a_name_is_looked_up_once_however_many_ask(self) -> None:
        asked: list[str] = []
        may_answer = threading.Event()

        def look_up(name: str) -> list[str]:
            asked.append(name)
            may_answer.wait(5)
            return ["93.184.216.34"]

        resolver = CheckedResolver(Guard(allow_private=False), look_up)
        callers = [asyncio.ensure_future(resolver.resolve("partner.example", "acme")) for _ in range(10)]
        await asyncio.sleep(0)
        callers[0].cancel()
        may_answer.set()
        found = await asyncio.gather(*callers[1:])
        found.append(await resolver.resolve("partner.example", "acme"))

        assert asked == ["partner.example"]
        assert found == [["93.184.216.34"]] * 10
        await resolver.close()

    async def test_slow_name_servers_of_one_partner_hold_up_nobody_else(self) -> None:
        may_answer = threading.Event()
        self.addCleanup(may_answer.set)
        asked: list[str] = []

        def look_up(name: str) -> list[str]:
            asked.append(name)
            if "slow" in name:
                may_answer.wait(10)
            return ["93.184.216.34"]

        resolver = CheckedResolver(Guard(allow_private=False), look_up)
        hanging = [asyncio.ensure_future(resolver.resolve(f"slow{n}.example", "mallory")) for n in range(200)]
        hanging.append(asyncio.ensure_future(resolver.resolve("partner.example", "mallory")))
        await asyncio.sleep(0)

        found = [await resolver.resolve(name, "acme") for name in ("partner.example", "other.example")]

        assert found == [["93.184.216.34"]] * 2
        assert sorted(asked) == ["other.example", "partner.example", "slow0.example", "slow1.example"]
        may_answer.set()
        assert await asyncio.gather(*hanging) == [["93.184.216.34"]] * 201
        assert len(asked) == 202
        await resolver.close()

    async def test_a_name_that_takes_too_long_is_a_sentence_and_takes_one_thread_however_often_it_is_asked(
        self,
    ) -> None:
        self.patch(addresses, "LOOK_UP_S", 0.02)
        may_answer = threading.Event()
        self.addCleanup(may_answer.set)
        asked: list[str] = []

        def look_up(name: str) -> list[str]:
            asked.append(name)
            may_answer.wait(10)
            return ["10.1.2.3"]

        resolver = CheckedResolver(Guard(allow_private=False), look_up)
        for _ in range(3):
            with pytest.raises(PeerRefused, match=r"slow.example was not resolved within 0.02 s"):
                await resolver.resolve("slow.example", "acme")
        assert asked == ["slow.example"]

        self.patch(addresses, "LOOK_UP_S", 5.0)
        may_answer.set()
        with pytest.raises(PeerRefused, match="private"):
            await resolver.resolve("slow.example", "acme")
        await resolver.close()
