"""HTTP answers out of octets, cut at every place."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_api.dispatch.responses import BODY_MAX, HEAD_MAX, BadResponse, Response

OK = b"HTTP/1.1 200 OK\r\n"
SOUND = [
    (OK + b"Content-Length: 5\r\nA: b\r\n\r\nHello", b"Hello", True),
    (OK + b"content-length: 0\r\n\r\n", b"", True),
    (OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nHello", b"Hello", True),
    (OK + b"Connection: Close\r\nContent-Length: 5\r\n\r\nHello", b"Hello", False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHello", b"Hello", False),
    (b"HTTP/1.1 204\r\n\r\n", b"", True),
    (b"HTTP/1.1 204 Nothing\r\nContent-Length: 5\r\n\r\n", b"", True),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nHel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"Hello", True),
    (OK + b"Transfer-Encoding: Chunked\r\n\r\n05\r\nHello\r\n0\r\nTrailer: x\r\n\r\n", b"Hello", True),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nHello",
        b"Hello",
        True,
    ),
]
UNSOUND = [
    (b"\0\1\2", "not HTTP"),
    (b"HTTP/2 200 OK\r\n\r\n", "not HTTP"),
    (b"HTTP/1.1 20 OK\r\n\r\n", "not HTTP"),
    (b"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP"),
    (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n", "not HTTP"),
    (b"HTTP/1.1 101 Switch\r\n\r\n", "never comes to its end"),
    (b"HTTP/1.1 100 C\r\n\r\n" * 9, "never comes to its end"),
    (OK + b"no colon\r\n\r\n", "not HTTP"),
    (OK + b"Name : x\r\n\r\n", "not HTTP"),
    (OK + b"A: b\r\n folded\r\n\r\n", "not HTTP"),
    (OK + b"A: b\nContent-Length: 0\r\n\r\n", "not HTTP"),
    (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "framed twice"),
    (OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "framed twice"),
    (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "framed twice"),
    (OK + b"Content-Length: -1\r\n\r\n", "no number"),
    (OK + b"Content-Length: +5\r\n\r\n", "no number"),
    (OK + b"Content-Length: 65537\r\n\r\n", "longer than 64 KiB"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", "longer than 64 KiB"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", "no length"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 2000, "no length"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nHello\r\n", "does not end"),
    (OK + b"\r\n" + b"x" * (BODY_MAX + 1), "longer than 64 KiB"),
    (OK + b"A: " + b"x" * HEAD_MAX, "head is longer"),
    (OK + b"A: " + b"x" * HEAD_MAX + b"\r\n\r\n", "head is longer"),
]


def read(octets: bytes, cuts: list[int]) -> Response:
    """Feed the octets, cut at these places."""
    response = Response()
    places = sorted({cut % (len(octets) + 1) for cut in cuts} | {0, len(octets)})
    for start, end in pairwise(places):
        response.feed(octets[start:end])
    return response


@pytest.mark.parametrize(("octets", "body", "reusable"), SOUND)
@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_a_sound_answer_is_whole_wherever_it_is_cut(
    octets: bytes, body: bytes, reusable: bool, cuts: list[int]
) -> None:
    response = read(octets, cuts)

    assert (response.whole, response.body, response.reusable) == (True, body, reusable)


@pytest.mark.parametrize(("octets", "body"), [(octets, body) for octets, body, _ in SOUND])
def test_no_answer_is_whole_before_its_last_octet(octets: bytes, body: bytes) -> None:
    for end in range(len(octets)):
        response = read(octets[:end], list(range(end)))

        assert not response.whole, octets[:end]
        with pytest.raises(BadResponse):
            response.end()


@pytest.mark.parametrize(("octets", "body"), [(octets, body) for octets, body, _ in SOUND])
def test_octets_behind_the_end_make_the_connection_unusable(octets: bytes, body: bytes) -> None:
    response = read(octets + b"HTTP/1.1 200 OK", [])

    assert (response.whole, response.body, response.reusable) == (True, body, False)


@pytest.mark.parametrize(("octets", "sentence"), UNSOUND)
def test_an_unsound_answer_is_refused_whole_or_in_pieces(octets: bytes, sentence: str) -> None:
    with pytest.raises(BadResponse, match=sentence):
        read(octets, [])
    with pytest.raises(BadResponse, match=sentence):
        read(octets, list(range(0, len(octets), 7)))


def test_without_a_length_the_end_of_the_connection_is_the_end() -> None:
    response = read(OK + b"\r\nHello", [3, 18])

    assert not response.whole
    response.end()
    assert (response.whole, response.body, response.reusable) == (True, b"Hello", True)


@given(octets=st.binary(max_size=200), begin=st.sampled_from([b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"]))
def test_no_octets_do_harm(octets: bytes, begin: bytes) -> None:
    response = Response()
    try:
        response.feed(begin + octets)
        response.end()
    except BadResponse:
        return
    assert response.whole
