"""What a partner's answer means, word for word as interfaces.md 4 says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.message import Answer, Outcome
from partner_api.dispatch.answers import RawAnswer, failure, read_answer

NOW = 1_795_507_865_700
"""2026-11-24T08:11:05.700Z"""
ANSWERED, LATER, REFUSED, AGAIN = Outcome.ANSWERED, Outcome.LATER, Outcome.REFUSED, Outcome.AGAIN


def judge(status: int, body: bytes | str = b"", content_type: str = "text/plain", **more: str) -> Answer:
    octets = body.encode() if isinstance(body, str) else body
    return read_answer(RawAnswer(status, octets, content_type, **more), NOW)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "text/html", "text/html; charset=UTF-8", "TEXT/Plain", "text/x-y"]
)
def test_the_body_of_a_text_is_the_reply(content_type: str) -> None:
    answer = judge(200, "Привет, 7!", content_type)

    assert (answer.outcome, answer.reply, answer.status, answer.excerpt) == (ANSWERED, "Привет, 7!", 200, "Привет, 7!")


@pytest.mark.parametrize(("status", "body"), [(200, ""), (204, ""), (200, "\n"), (200, " \r\n"), (204, "ignored")])
def test_an_empty_answer_sends_nothing(status: int, body: str) -> None:
    answer = judge(status, body)

    assert (answer.outcome, answer.reply) == (ANSWERED, "")


@pytest.mark.parametrize("content_type", ["", "application/json", "image/png"])
def test_an_empty_body_sends_nothing_whatever_its_type(content_type: str) -> None:
    assert judge(200, "", content_type).outcome is ANSWERED


def test_line_ends_behind_the_text_and_a_byte_order_mark_before_it_are_not_sent() -> None:
    assert judge(200, "\ufeff two\nlines \r\n\n").reply == " two\nlines "


@pytest.mark.parametrize("page", ["<!DOCTYPE html><p>", "<html>", "\n  <HTML lang=en>", "\ufeff<!doctype html>"])
def test_an_html_page_is_a_failure_that_says_so(page: str) -> None:
    answer = judge(200, page, "text/html")

    assert (answer.outcome, answer.reply) == (AGAIN, "")
    assert "HTML page" in answer.error


def test_a_text_that_only_speaks_of_html_is_a_reply() -> None:
    assert judge(200, "learn <html>!").reply == "learn <html>!"


@pytest.mark.parametrize(
    ("content", "reply", "sender"),
    [
        ('{"reply": "Hi", "from": "GAME"}', "Hi", "GAME"),
        ('{"reply": "Hi"}', "Hi", ""),
        ('{"reply": "", "more": [1]}', "", ""),
        ('{"reply": null, "from": null}', "", ""),
        ("{}", "", ""),
        ("\n", "", ""),
        ('{"reply": "\\ud83d\\ude00"}', "😀", ""),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/x+json"])
def test_a_json_answer_has_reply_and_from(content: str, reply: str, sender: str, content_type: str) -> None:
    answer = judge(200, content, content_type)

    assert (answer.outcome, answer.reply, answer.sender) == (ANSWERED, reply, sender)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '"Hi"',
        "1",
        "{",
        '{"reply": 7}',
        '{"from": []}',
        '{"reply": "\\ud83d"}',
        "[" * 60_000,
        '{"from": "%s"}' % ("x" * 21),
        '{"from": "ИГРА"}',
        '{"from": "GAME\\u0000"}',
        '{"from": "GAME\\r\\nX"}',
    ],
)
def test_a_json_answer_that_says_something_else_is_a_failure(content: str) -> None:
    answer = judge(200, content, "application/json")

    assert answer.outcome is AGAIN
    assert "JSON" in answer.error


@pytest.mark.parametrize("content", ['{"rply": "Hi"}', '{"from": "GAME"}', '{"Reply": "Hi", "x": null}'])
def test_a_json_answer_with_other_keys_but_no_reply_says_that_nothing_was_sent(content: str) -> None:
    answer = judge(200, content, "application/json")

    assert (answer.outcome, answer.reply, answer.excerpt) == (ANSWERED, "", content)
    assert answer.error == "the JSON has no key reply; nothing was sent"


@pytest.mark.parametrize("content", ["{}", '{"reply": ""}', '{"reply": null, "note": 1}', "", "{ }"])
def test_a_json_answer_that_means_silence_is_no_mistake(content: str) -> None:
    answer = judge(200, content, "application/json")

    assert (answer.outcome, answer.reply, answer.error) == (ANSWERED, "", "")


def test_202_means_that_the_reply_comes_later() -> None:
    assert judge(202, "not a reply").outcome is LATER


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 418, 422, 451, 499])
def test_4xx_is_a_final_refusal(status: int) -> None:
    answer = judge(status, "no such game")

    assert (answer.outcome, answer.excerpt) == (REFUSED, "no such game")
    assert answer.error == f"the partner refused the message with status {status}"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599, 201, 203, 206, 300, 301, 307, 600, 999])
def test_everything_else_is_tried_again(status: int) -> None:
    assert judge(status, "x").outcome is AGAIN


def test_a_redirect_says_where_to_and_what_to_do() -> None:
    answer = judge(302, location="http://elsewhere.example/\x1b[2J")

    assert answer.error == (
        "status 302 redirects to http://elsewhere.example/ [2J; redirects are not followed, "
        "put the final url into the service"
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://new.example/mo?msisdn=79001112233&text=GAME+7", " to https://new.example/mo"),
        ("https://new.example/mo/79001112233/GAME?a#b", " to https://new.example/mo/7900***33/GAME"),
        ("/mo;id=%2B79001112233?text=GAME", " to /mo;id=%2B7900***33"),
        ("https://user:pass@new.example:8443/mo#79001112233", " to https://new.example:8443/mo"),
        ("?msisdn=79001112233", ""),
        ("http://[79001112233", " to what is no URL"),
    ],
)
def test_a_redirect_shows_neither_the_number_nor_the_text_that_it_repeats(location: str, shown: str) -> None:
    error = judge(302, location=location).error

    assert error.startswith(f"status 302 redirects{shown}; redirects are not followed")


@pytest.mark.parametrize("header", ["content_type", "content_encoding"])
def test_what_a_partner_repeats_of_a_number_is_masked(header: str) -> None:
    answer = judge(200, "x", **{"content_type": "image/png", header: "x-79001112233"})

    assert "x-7900***33" in answer.error
    assert "79001112233" not in failure("no answer for 79001112233").error


@pytest.mark.parametrize(
    ("content_type", "body", "reply"),
    [
        ("text/plain; charset=windows-1251", "Привет".encode("cp1251"), "Привет"),
        ('text/plain; charset="KOI8-R"', "Привет".encode("koi8-r"), "Привет"),
        ("text/plain; charset=utf-16", "Привет".encode("utf-16"), "Привет"),
        ("text/plain; format=flowed; charset=iso-8859-1", b"caf\xe9", "café"),
    ],
)
def test_a_charset_that_is_named_is_read(content_type: str, body: bytes, reply: str) -> None:
    assert judge(200, body, content_type).reply == reply


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        ("text/plain", b"caf\xe9", "the answer is not valid utf-8"),
        ("text/plain; charset=ascii", b"caf\xe9", "the answer is not valid ascii"),
        ("text/plain; charset=klingon", b"x", "the answer's charset klingon is unknown"),
        ("text/plain; charset=base64", b"x", "the answer's charset base64 is unknown"),
        ("text/plain; charset=unicode_escape", b"x", "the answer's charset unicode_escape is unknown"),
        ("text/plain; charset=\0", b"x", "the answer's charset"),
        ("", b"x", "the answer's Content-Type is missing"),
        ("image/png", b"x", "the answer's Content-Type is image/png"),
    ],
)
def test_what_cannot_be_read_as_text_is_a_failure(content_type: str, body: bytes, sentence: str) -> None:
    answer = judge(200, body, content_type)

    assert answer.outcome is AGAIN
    assert answer.error.startswith(sentence)


def test_an_encoded_body_is_a_failure_and_is_not_unpacked() -> None:
    answer = judge(200, b"\x1f\x8b\x08", content_encoding="gzip")

    assert answer.outcome is AGAIN
    assert (answer.error, answer.excerpt) == ("the answer is encoded (gzip), but only identity was asked for", "")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999999999999", 3600),
        ("Tue, 24 Nov 2026 08:12:05 GMT", 60),
        ("Tue, 24 Nov 2026 08:00:00 GMT", 0),
        ("Wed, 25 Nov 2026 08:00:00 GMT", 3600),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
    ],
)
def test_retry_after_is_honoured_up_to_an_hour(value: str, seconds: int) -> None:
    assert judge(503, retry_after=value).retry_after_s == seconds


def test_retry_after_means_nothing_where_nothing_is_tried_again() -> None:
    assert judge(404, retry_after="60").retry_after_s == 0


def test_the_excerpt_is_the_first_2_kib_and_the_error_one_short_line() -> None:
    answer = judge(500, "é" * 2000)

    # 2 KiB of what came, not of characters.
    assert answer.excerpt == "é" * 1024
    assert len(judge(500, "x" * 5000).excerpt) == 2048
    assert len(failure("x\n" * 500).error) == 200
    assert "\n" not in failure("x\ny").error


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=300),
    content_type=st.text(max_size=40)
    | st.sampled_from(["text/plain", "application/json", "text/html; charset=utf-16"]),
    retry_after=st.text(max_size=30),
    location=st.text(max_size=300),
    encoding=st.text(max_size=10),
)
def test_every_answer_means_something(
    status: int, body: bytes, content_type: str, retry_after: str, location: str, encoding: str
) -> None:
    answer = read_answer(RawAnswer(status, body, content_type, encoding, retry_after, location), NOW)

    assert len(answer.error) <= 200
    assert 0 <= answer.retry_after_s <= 3600
    assert (answer.error == "") == (answer.outcome in {ANSWERED, LATER})
    answer.reply.encode()
    answer.excerpt.encode()
