"""Charsets by the names that people write: those that read anything, and nothing else that Python calls a codec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sms.charsets import CHARSETS, charset_named


@given(name=st.sampled_from(sorted(CHARSETS)), octets=st.binary(max_size=200))
def test_every_one_reads_any_octets_and_writes_a_text(name: str, octets: bytes) -> None:
    assert charset_named(name) == name

    text = octets.decode(name, "replace")
    assert "GAME 7".encode(name).decode(name) == "GAME 7"
    text.encode(name, "replace")


@pytest.mark.parametrize(
    ("written", "name"),
    [("Windows-1251", "cp1251"), ("LATIN-1", "iso8859-1"), ("UTF8", "utf-8"), ("KOI8-R", "koi8-r")],
)  # fmt: skip
def test_it_is_known_by_its_other_names(written: str, name: str) -> None:
    assert charset_named(written) == name


@pytest.mark.parametrize(
    "name", ["hex", "rot13", "base64", "zip", "idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape",
             "utf-7", "mbcs", "klingon", "", "\0", "a" * 500],
)  # fmt: skip
def test_what_is_no_charset_is_not_read(name: str) -> None:
    assert charset_named(name) == ""
