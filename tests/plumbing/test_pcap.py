"""A conversation as packets: read back by a reader of our own, and by tshark where there is one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from plumbing.pcap import SEGMENT_MAX, Capture, pcap_head
from tests.plumbing.pcap_reader import ACK, FIN, SYN, packets, streams

OURS, THEIRS = ("192.0.2.10", 40123), ("198.51.100.7", 2775)
SIX = (("2001:db8::1", 40123), ("2001:db8::7", 2775))
NOW_US = 1_795_824_000_123_456


def a_file(ours: tuple[str, int] = OURS, theirs: tuple[str, int] = THEIRS) -> bytes:
    capture = Capture(ours, theirs)
    return b"".join(
        (
            pcap_head(), capture.opened(NOW_US), capture.said(b"bind", NOW_US + 1), capture.heard(b"bound", NOW_US + 2),
            capture.said(b"odd", NOW_US + 3), capture.closed(NOW_US + 4),
        )
    )  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), [(OURS, THEIRS), SIX])
def test_what_was_said_is_read_back_with_its_ends_and_times(ours: tuple[str, int], theirs: tuple[str, int]) -> None:
    found = packets(a_file(ours, theirs))

    assert streams(found) == {ours: b"bindodd", theirs: b"bound"}
    assert [packet.time_us - NOW_US for packet in found] == [0, 0, 0, 1, 2, 3, 4, 4, 4]
    assert [packet.flags & (SYN | ACK | FIN) for packet in found[:3]] == [SYN, SYN | ACK, ACK]
    assert found[-3].flags & found[-2].flags & FIN


def test_what_is_longer_than_a_packet_is_cut() -> None:
    capture = Capture(OURS, THEIRS)
    long = bytes(range(256)) * 300

    found = packets(pcap_head() + capture.heard(long, NOW_US) + capture.said(b"x", NOW_US))

    assert streams(found)[THEIRS] == long
    assert max(len(packet.payload) for packet in found) == SEGMENT_MAX


def test_sequence_numbers_begin_again_behind_32_bits() -> None:
    capture = Capture(OURS, THEIRS)
    capture._us.sequence = 0xFFFFFFFE

    found = packets(
        pcap_head() + capture.said(b"abc", NOW_US) + capture.said(b"d", NOW_US) + capture.heard(b"e", NOW_US)
    )

    assert [packet.sequence for packet in found] == [0xFFFFFFFE, 1, 0]
    assert found[-1].acknowledged == 2


@pytest.mark.parametrize(("ours", "theirs"), [("", ""), ("192.0.2.1", "2001:db8::1"), ("memory", "192.0.2.1")])
def test_ends_without_an_address_get_one_of_nobody(ours: str, theirs: str) -> None:
    capture = Capture((ours, 1), (theirs, 2))

    (packet,) = packets(pcap_head() + capture.said(b"x", NOW_US))

    assert (packet.source, packet.target) == (("192.0.2.1", 1), ("192.0.2.2", 2))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark here")
@pytest.mark.parametrize(("ours", "theirs"), [(OURS, THEIRS), SIX])
def test_tshark_finds_nothing_wrong(tmp_path: Path, ours: tuple[str, int], theirs: tuple[str, int]) -> None:
    file = tmp_path / "trace.pcap"
    file.write_bytes(a_file(ours, theirs))
    asked = [
        "tshark", "-r", str(file), "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields",
        "-e", "tcp.checksum.status", "-e", "_ws.expert.message", "-e", "tcp.payload",
    ]  # fmt: skip

    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout

    assert "Bad" not in said
    assert "lost" not in said
    assert said.count(b"bind".hex()) == 1
    assert {line[0] for line in said.splitlines()} == {"1"}, "a checksum is wrong"
