"""CIMD2: what is submitted, what the centre says to it, and how the link presents itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import HOUR_MS
from core.errors import ConfigError
from core.message import MtKind, SubmitOutcome
from core.sms.parts import count
from sim.tongues.cimd2 import mt_text
from smsc_link.options import describe
from smsc_link.protocols.cimd2 import Cimd2Adapter, Cimd2Options
from tests.smsc_link.ends import an_mt, an_operator
from tests.smsc_link.protocols.cimd2_ends import NOW, STAMP, a_cimd2_link, an_adapter, as_contract, delivered, text_of
from wire.cimd2 import (
    Deliver,
    GeneralError,
    Login,
    LoginResp,
    Logout,
    Nack,
    Response,
    Submit,
    SubmitResp,
    Submitted,
    decode,
    encode,
)

TEXTS = [
    "Short",
    "ё",
    "x" * 160,
    "x" * 161,
    "[" * 100,
    "@_" * 90,
    "Длинный " * 40,
    "😀" * 100,
    "y" * 1000,
    "a\tb",
    "\f^",
]


def written(adapter: Cimd2Adapter, text: str, **values: Any) -> list[Any]:
    """As it goes over the wire."""
    return [decode(encode(part)) for part in adapter.write(an_mt(text, **values), 70_001, NOW)]


@pytest.mark.parametrize("way", ["udh8", "udh16"])
@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_says_what_was_said(way: str, text: str) -> None:
    adapter = an_adapter(long_messages=way)
    parts = written(adapter, text)

    assert "".join(mt_text(part)[0] for part in parts) == text
    assert len(parts) == adapter.parts_of(text) == count(text, bits=16 if way == "udh16" else 8)
    assert all(part.status_report_request == 14 for part in parts)
    assert all(bool(part.user_data_header) == (len(parts) > 1) for part in parts), "every part has its header"


@given(text=st.text(min_size=1, max_size=500), way=st.booleans())
def test_what_is_counted_is_what_is_sent_whatever_the_text(text: str, way: bool) -> None:
    adapter = an_adapter(long_messages="udh16" if way else "udh8")

    parts = written(adapter, text)

    assert len(parts) == adapter.parts_of(text)
    said = "".join(text_of(delivered(turned_round(part), adapter)) for part in parts)
    assert said == text.encode("utf-16-be", "replace").decode("utf-16-be", "replace")


def turned_round(part: Submit) -> Deliver:
    return Deliver(
        destination="4446",
        originating_address=part.destinations[0],
        time_stamp=STAMP,
        data_coding=part.data_coding,
        user_data_header=part.user_data_header,
        user_data=part.user_data,
        user_data_binary=part.user_data_binary,
    )


def test_the_messages_of_the_documents_are_written_so() -> None:
    [plain] = an_adapter(status_reports=-1, sender="suffix", account_number="851").write(
        an_mt("Hello", destination="237670000001", source="8511"), 1, NOW
    )
    [ucs2] = written(an_adapter(), "Привет")
    [escapes] = written(an_adapter(), "a@b_c")
    [_, second] = written(an_adapter(), "a" * 160 + "b")
    plain.sequence = 3

    assert encode(plain) == b"\x0203:003\t021:237670000001\t023:1\t033:Hello\t41\x03"
    assert (ucs2.data_coding, ucs2.user_data_binary.hex()) == (8, "041f04400438043204350442")
    assert escapes.user_data == b"a_Oab_--c"
    assert second.user_data_header.hex() == "050003710202", "the reference is that of all parts, the number its own"


def test_an_empty_text_has_no_form() -> None:
    with pytest.raises(ValueError, match="empty"):
        an_adapter().write(an_mt(""), 1, NOW)


def test_ucs2_may_have_a_scheme_of_the_centres_own() -> None:
    [ucs2], [gsm] = (written(an_adapter(ucs2_coding=25), text) for text in ("ё", "e"))

    assert (ucs2.data_coding, gsm.data_coding) == (25, None)


@pytest.mark.parametrize(
    ("sender", "options", "originator", "name"),
    [
        ("4446", {}, "4446", ""),
        ("+79001112233", {}, "+79001112233", ""),
        ("4446", {"sender": "none"}, "", ""),
        ("4446", {"sender": "suffix", "account_number": "44"}, "46", ""),
        ("4446", {"sender": "suffix", "account_number": "4446"}, "", ""),
        ("Alpha", {}, "", "Alpha"),
        ("Alpha", {"sender": "none"}, "", "Alpha"),
        ("Alpha", {"sender": "suffix", "account_number": "44"}, "", "Alpha"),
        ("ELEVEN-CHAR", {}, "", "ELEVEN-CHAR"),
    ],
)
def test_a_sender_is_a_sub_address_or_a_name(sender: str, options: dict[str, Any], originator: str, name: str) -> None:
    [part] = written(an_adapter(**options), "Hi", source=sender)

    assert (part.originating_address, part.alphanumeric_originator) == (originator, name)


@pytest.mark.parametrize("sender", ["TwelveLetter", "Имя", "", "A@B", "a_b", "é", "tab\t", "7" * 21])
def test_a_sender_without_a_form_is_no_value_to_send(sender: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        an_adapter().write(an_mt(source=sender), 1, NOW)


def test_a_sender_that_is_not_the_accounts_is_told_and_not_sent_under_another() -> None:
    with pytest.raises(ValueError, match="begin with account_number, 8511"):
        an_adapter(sender="suffix", account_number="8511").write(an_mt(source="4446"), 1, NOW)


def test_a_recipient_is_written_as_the_link_says() -> None:
    [plus] = written(an_adapter(destination_form="plus"), "Hi")
    [own] = written(an_adapter(destination_form="national"), "Hi")

    assert (plus.destinations, own.destinations) == (("+79001112233",), ("9001112233",))
    with pytest.raises(ValueError, match="digits"):
        an_adapter().write(an_mt(destination="Anna"), 1, NOW)


@pytest.mark.parametrize(("option", "request_"), [(14, 14), (62, 62), (0, 0), (-1, None)])
def test_reports_are_asked_for_or_suppressed_or_not_spoken_of(option: int, request_: int | None) -> None:
    assert written(an_adapter(status_reports=option), "Hi")[0].status_report_request == request_


@pytest.mark.parametrize(
    ("options", "valid_for_ms", "relative", "absolute"),
    [
        ({}, HOUR_MS, 11, ""),
        ({}, 24 * HOUR_MS, 167, ""),
        ({}, HOUR_MS - 1, 10, ""),
        ({}, 10, 0, ""),
        ({"validity": "absolute", "time_zone": "Europe/Moscow"}, HOUR_MS, None, "260921181320"),
        ({"validity": "absolute", "time_zone": "UTC"}, HOUR_MS, None, "260921151320"),
        ({"validity": "absolute", "time_zone": "UTC"}, 10, None, "260921141420"),
        ({"validity": "none"}, HOUR_MS, None, ""),
    ],
)
def test_validity_is_a_time_from_now_or_a_moment_of_the_centres_clock(
    options: dict[str, Any], valid_for_ms: int, relative: int | None, absolute: str
) -> None:
    [part] = written(an_adapter(**options), "Hi", valid_until=NOW + valid_for_ms)
    [endless] = written(an_adapter(**options), "Hi")

    assert (part.validity_relative, part.validity_absolute) == (relative, absolute)
    assert (endless.validity_relative, endless.validity_absolute) == (None, ""), "no end, no parameter"


def test_what_a_message_costs_is_told_by_tariff_class_and_service_description() -> None:
    adapter = an_adapter(
        tariff_class="0",
        premium_tariff_class="4446=5, 7733=2 9",
        premium_service_description="4446=3",
        message_priority=4,
        protocol_id=65,
    )

    def told(kind: MtKind, source: str) -> tuple[int | None, ...]:
        [part] = written(adapter, "Hi", kind=kind, source=source)
        return part.tariff_class, part.service_description, part.priority, part.protocol_id

    assert told(MtKind.FREE, "4446") == told(MtKind.STANDARD, "4446") == (0, None, 4, 65)
    assert told(MtKind.PREMIUM, "4446") == (5, 3, 4, 65)
    assert told(MtKind.PREMIUM, "7733") == (2, None, 4, 65)
    assert told(MtKind.PREMIUM, "9999") == (9, None, 4, 65)
    [plain] = written(an_adapter(), "Hi", kind=MtKind.PREMIUM)
    assert (plain.tariff_class, plain.service_description, plain.priority, plain.protocol_id) == (None,) * 4


def test_every_part_of_a_premium_message_bears_its_price() -> None:
    parts = written(an_adapter(premium_tariff_class="5"), "ж" * 100, kind=MtKind.PREMIUM)

    assert [part.tariff_class for part in parts] == [5, 5]


@pytest.mark.parametrize(
    ("response", "outcome", "code"),
    [
        (SubmitResp(3, submitted=(Submitted("237670000001", STAMP),)), SubmitOutcome.ACCEPTED, 0),
        (SubmitResp(3), SubmitOutcome.ACCEPTED, 0),
        (SubmitResp(3, error=10), SubmitOutcome.THROTTLED, 10),
        (SubmitResp(3, error=4), SubmitOutcome.TEMPORARY, 4),
        (SubmitResp(3, error=9), SubmitOutcome.TEMPORARY, 9),
        (SubmitResp(3, error=102), SubmitOutcome.TEMPORARY, 102),
        (SubmitResp(3, error=803), SubmitOutcome.TEMPORARY, 803),
        (SubmitResp(3, error=7), SubmitOutcome.THROTTLED, 7),
        (SubmitResp(3, error=6), SubmitOutcome.PERMANENT, 6),
        (SubmitResp(3, error=300), SubmitOutcome.PERMANENT, 300),
        (SubmitResp(3, error=777), SubmitOutcome.PERMANENT, 777),
        (Nack(3), SubmitOutcome.TEMPORARY, 0),
        (GeneralError(3), SubmitOutcome.TEMPORARY, 0),
        (GeneralError(3, error=2), SubmitOutcome.PERMANENT, 2),
    ],
)
def test_what_the_centre_says_to_a_submission(response: Response, outcome: SubmitOutcome, code: int) -> None:
    adapter = an_adapter(temporary_errors="803", throttle_errors="7", permanent_errors="6")

    answer = adapter.submit_answer(response)

    assert (answer.outcome, answer.code) == (outcome, code)
    assert answer.key == (f"{STAMP}/70000001" if getattr(response, "submitted", ()) else "")
    assert bool(answer.sentence) == (outcome is not SubmitOutcome.ACCEPTED)
    assert not adapter.is_congested(response)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no right", "error 313: incorrect usage of tariff class (no right)"),
        ("", "error 313: incorrect usage of tariff class"),
        ("79001112233 barred", "error 313: incorrect usage of tariff class"),
        ("\x01\x7f", "error 313: incorrect usage of tariff class"),
    ],
)
def test_the_centres_words_are_told_where_they_name_no_subscriber(text: str, sentence: str) -> None:
    assert an_adapter().submit_answer(SubmitResp(3, error=313, error_text=text)).sentence == sentence


def test_the_login_says_what_the_link_says() -> None:
    plain = an_adapter(link={"window": 20}).bind()
    other = an_adapter(link={"window": 1}, subaddress=3).bind()

    assert plain == Login(user_identity="tollbridge", password="secret", window_size=20)
    assert other == Login(user_identity="tollbridge", password="secret", subaddress=3), "one is what nobody asks for"
    assert type(as_contract(an_adapter()).unbind()) is Logout


def test_checksums_may_be_left_out() -> None:
    ends = []
    for checksum in (True, False):
        session: Any = an_adapter(checksum=checksum).session(0)
        session.send(an_adapter(checksum=checksum).bind(), 0)
        ends.append(session.output()[-4:])

    assert [octets.startswith(b"\t") for octets in ends] == [True, False]
    assert ends[1].endswith(b"\t\x03")


@pytest.mark.parametrize(
    ("response", "sentence", "for_good"),
    [
        (LoginResp(1, error=100), "login refused: 100: invalid login", True),
        (LoginResp(1, error=102), "login refused: 102: too many users with this login id", False),
        (LoginResp(1, error=104), "login refused: 104: invalid window size; give the link a narrower window", True),
        (
            LoginResp(1, error=105),
            "login refused: 105: windowing disabled; give the link window = 1, which asks for none",
            True,
        ),
        (LoginResp(1, error=10), "login refused: 10: temporary congestion", False),
        (GeneralError(1, error=6), "login refused: 6: general system error", False),
        (Nack(1), "login refused: the centre could not read it", False),
    ],
)
def test_only_what_is_our_own_fault_is_no_reason_to_try_soon(response: Response, sentence: str, for_good: bool) -> None:
    refusal = an_adapter().refusal(response)

    assert (refusal.sentence, refusal.for_good) == (sentence, for_good)


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({"sendr": "none"}, "no option sendr; did you mean sender?"),
        ({"status_reports": 64}, "64 is not between -1 and 63"),
        ({"sender": "all"}, "'all' is none of whole, suffix, none"),
        ({"sender": "suffix"}, "option account_number: sender = suffix needs it"),
        ({"sender": "suffix", "account_number": "abc"}, "option account_number: sender = suffix needs it"),
        ({"validity": "absolute"}, "option time_zone: validity = absolute is a time of the centre's clock"),
        ({"time_zone": "Moscow"}, "'Moscow' is no time zone, such as Europe/Moscow"),
        ({"temporary_errors": "9, x"}, "'9, x' is no list of error codes"),
        ({"throttle_errors": "0"}, "'0' is no list of error codes"),
        ({"permanent_errors": "1234"}, "'1234' is no list of error codes"),
        ({"tariff_class": "4446=1 4446=2"}, "each sender once"),
        ({"premium_tariff_class": "4446=100"}, "N from 0 to 99"),
        ({"premium_service_description": "4446="}, "write N or SENDER=N"),
        ({"service_description": "free"}, "write N or SENDER=N"),
        ({"number_rules": "8"}, "is no rule"),
    ],
)
def test_a_wrong_option_is_explained(options: dict[str, Any], mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        an_adapter(**options)

    assert mistake in str(caught.value)
    assert str(caught.value).startswith("link alpha-1: ")


@pytest.mark.parametrize(
    ("values", "mistake"),
    [
        ({"window": 129}, "window 129 is not between 1 and 128, CIMD2's widest"),
        ({"window": 0}, "window 0 is not between"),
        ({"bind": "both"}, "bind 'both' is none of"),
        ({"system_id": ""}, "CIMD2 has a login"),
        (
            {"system_id": " us"},
            "the system_id has no form in CIMD2: at most 32 printed letters of Latin-1, without spaces",
        ),
        ({"password": "пароль"}, "the password has no form in CIMD2"),
        ({"password": "x" * 33}, "the password has no form in CIMD2"),
        ({"password": "a\tb"}, "the password has no form in CIMD2"),
        (
            {"password": "a\x1bb"},
            "the password has no form in CIMD2: at most 32 printed letters of Latin-1, without spaces",
        ),
        ({"system_id": "us\xa0"}, "the system_id has no form in CIMD2"),
    ],
)
def test_wrong_fields_of_the_link_itself_are_explained_too(values: dict[str, Any], mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Cimd2Adapter(a_cimd2_link(**values), an_operator())

    assert mistake in str(caught.value)
    assert str(values.get("password", "пароль")) not in str(caught.value)


def test_every_option_is_described() -> None:
    rows = list(describe(Cimd2Options))

    assert len(rows) > 35
    assert all(len(meaning) > 8 for _, _, meaning in rows)
    assert (an_adapter().spelled(10), an_adapter().spelled(99)) == ("error 10", "NACK")
