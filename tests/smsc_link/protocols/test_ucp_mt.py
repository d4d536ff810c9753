"""UCP: what is submitted, what the centre says to it, and how the link presents itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import HOUR_MS
from core.errors import ConfigError
from core.message import MtKind, SubmitOutcome
from core.sms.parts import count
from sim.tongues.ucp import mt_text
from smsc_link.options import describe
from smsc_link.protocols.ucp import UcpAdapter, UcpOptions
from tests.smsc_link.ends import an_mt, an_operator
from tests.smsc_link.protocols.ucp_ends import NOW, a_ucp_link, an_adapter, delivered, text_of
from wire.ucp import CallInput, DeliverMessage, Goodbye, OpenSession, Result, SubmitMessage, decode, encode
from wire.ucp.codes import EC_UNREADABLE
from wire.ucp.operations import MultipleCallInput
from wire.ucp.text import read_ira
from wire.ucp.xser import read_xser

OLD = [("01", CallInput, "79001112233"), ("02", MultipleCallInput, ("79001112233",))]
TEXTS = ["", "Short", "ё", "x" * 160, "x" * 161, "[" * 100, "Длинный " * 40, "😀" * 100, "y" * 1000]


def written(adapter: UcpAdapter, text: str, **values: Any) -> list[Any]:
    """As it goes over the wire."""
    return [decode(encode(part)[1:-1]) for part in adapter.write(an_mt(text, **values), 70_001, NOW)]


@pytest.mark.parametrize("way", ["udh8", "udh16"])
@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_says_what_was_said(way: str, text: str) -> None:
    adapter = an_adapter(long_messages=way)
    parts = written(adapter, text)

    assert "".join(mt_text(part)[0] for part in parts) == text
    assert len(parts) == adapter.parts_of(text) == count(text, bits=16 if way == "udh16" else 8)
    assert all((part.nrq, part.nt) == ("1", "3") for part in parts)


@given(text=st.text(max_size=500), alphabet=st.sampled_from(["gsm7", "latin-1", "ascii"]), way=st.booleans())
def test_what_is_counted_is_what_is_sent_whatever_the_text(text: str, alphabet: str, way: bool) -> None:
    adapter = an_adapter(alphabet=alphabet, long_messages="udh16" if way else "udh8")

    parts = written(adapter, text)

    assert len(parts) == adapter.parts_of(text)
    assert "".join(text_of(delivered(turned_round(part), adapter)) for part in parts) == text.encode(
        "utf-16-be", "replace"
    ).decode("utf-16-be", "replace")


@pytest.mark.parametrize(
    ("alphabet", "text", "mts", "octets_max"),
    [
        ("utf-8", "é" * 160, "3", 320),
        ("utf-8", "é" * 161, "33", 306),
        ("gb18030", "Ø" * 80, "3", 320),
        ("gb18030", "Ø" * 81, "44", 134),
        ("gb18030", "a" * 160 + "Ø" * 100, "4444", 134),
    ],
)
def test_octets_that_no_field_takes_go_as_ucs2_all_of_the_text(
    alphabet: str, text: str, mts: str, octets_max: int
) -> None:
    adapter = an_adapter(alphabet=alphabet)
    parts = written(adapter, text)

    assert "".join(part.mt for part in parts) == mts
    assert max(len(part.msg) // 2 for part in parts) == octets_max
    assert len(parts) == adapter.parts_of(text)
    assert "".join(text_of(delivered(turned_round(part), adapter)) for part in parts) == text


def turned_round(part: SubmitMessage) -> DeliverMessage:
    return DeliverMessage(adc="4446", oadc=part.adc, mt=part.mt, nb=part.nb, msg=part.msg, xser=part.xser)


def test_the_messages_of_the_documents_are_written_so() -> None:
    plain = encode(an_adapter(notify=0).write(an_mt("Hello", destination="00237670000001", source="8511"), 1, NOW)[0])
    [ucs2] = written(an_adapter(), "Привет")
    [_, second] = written(an_adapter(), "a" * 160 + "b")

    assert plain[4:-3] == b"00078/O/51/00237670000001/8511/////////////////3//48656C6C6F/////////////"
    assert (ucs2.mt, ucs2.nb, ucs2.msg, ucs2.xser, ucs2.mcls) == ("4", "0096", "041F04400438043204350442", "020108", "")
    assert second.xser == "010605000371" + "0202", "the reference is that of all parts, the number its own"


def test_ucs2_may_have_a_class() -> None:
    [ucs2], [gsm] = (written(an_adapter(message_class=1), text) for text in ("ё", "e"))

    assert (ucs2.mcls, gsm.mcls) == ("1", "")


def test_a_text_that_the_centres_alphabet_lacks_goes_as_ucs2() -> None:
    adapter = an_adapter(alphabet="latin-1")
    [plain], [euro] = written(adapter, "café @"), written(adapter, "5 €")

    assert (plain.mt, bytes.fromhex(plain.msg)) == ("3", "café @".encode("latin-1"))
    assert (euro.mt, bytes.fromhex(euro.msg)) == ("4", "5 €".encode("utf-16-be"))


@pytest.mark.parametrize(
    ("sender", "how", "oadc", "otoa"),
    [
        ("4446", "auto", "4446", ""),
        ("79001112233", "auto", "79001112233", "1139"),
        ("+79001112233", "auto", "79001112233", "1139"),
        ("+4446", "auto", "4446", "1139"),
        ("4446", "international", "4446", "1139"),
        ("79001112233", "plain", "79001112233", ""),
        ("ALPHA@NUM", "auto", "10412614190438AB4D", "5039"),
        ("test", "plain", "07F4F29C0E", "5039"),
    ],
)
def test_a_sender_is_typed_by_its_look(sender: str, how: str, oadc: str, otoa: str) -> None:
    [part] = written(an_adapter(originator=how), "Hi", source=sender)

    assert (part.oadc, part.otoa) == (oadc, otoa)


@pytest.mark.parametrize("sender", ["TwelveLetter", "Имя", ""])
def test_a_sender_without_a_form_is_no_value_to_send(sender: str) -> None:
    with pytest.raises(ValueError, match=r"sender|originator"):
        an_adapter().write(an_mt(source=sender), 1, NOW)


def test_a_recipient_has_digits_only() -> None:
    [plus] = written(an_adapter(destination_form="plus"), "Hi")
    [own] = written(an_adapter(destination_form="national"), "Hi")

    assert (plus.adc, own.adc) == ("0079001112233", "9001112233")
    with pytest.raises(ValueError, match="digits"):
        an_adapter().write(an_mt(destination="Anna"), 1, NOW)


def test_receipts_are_asked_for_as_the_link_says() -> None:
    adapter = an_adapter(notify=7, notify_address="1920870340125000", notify_pid="0539")
    [asked], [silent] = written(adapter, "Hi"), written(an_adapter(notify=0), "Hi")

    assert (asked.nrq, asked.nt, asked.nadc, asked.npid) == ("1", "7", "1920870340125000", "0539")
    assert (silent.nrq, silent.nt) == ("", "")


@pytest.mark.parametrize(
    ("zone", "valid_for_ms", "vp"),
    [
        ("Europe/Moscow", HOUR_MS, "2109261813"),
        ("UTC", HOUR_MS, "2109261513"),
        ("UTC", 10, "2109261414"),
        ("", HOUR_MS, ""),
    ],
)
def test_validity_is_a_moment_of_the_centres_clock(zone: str, valid_for_ms: int, vp: str) -> None:
    [part] = written(an_adapter(time_zone=zone), "Hi", valid_until=NOW + valid_for_ms)

    assert part.vp == vp
    assert written(an_adapter(time_zone=zone), "Hi")[0].vp == "", "no end, no field"


def test_what_a_message_costs_is_told_by_the_billing_identifier() -> None:
    adapter = an_adapter(
        billing_id="FREE",
        premium_billing_id="4446=TARIFF500, 7733=TARIFF100 OTHER",
        premium_authentication="1234",
        extra_services="0D0101",
        premium_extra_services="0d0102",
        rpid="0127",
    )

    def told(kind: MtKind, source: str) -> tuple[str, str, str]:
        [part] = written(adapter, "Hi", kind=kind, source=source)
        return part.ac, part.rpid, part.xser

    assert told(MtKind.FREE, "4446") == ("", "0127", "0C0446524545" + "0D0101")
    assert told(MtKind.STANDARD, "4446") == told(MtKind.FREE, "4446")
    assert told(MtKind.PREMIUM, "4446") == ("1234", "0127", "0C09544152494646353030" + "0D0102")
    assert told(MtKind.PREMIUM, "7733")[2].startswith("0C09544152494646313030")
    assert told(MtKind.PREMIUM, "9999")[2].startswith("0C054F54484552")


def test_every_part_of_a_premium_message_bears_its_price() -> None:
    parts = written(an_adapter(premium_billing_id="T5"), "ж" * 100, kind=MtKind.PREMIUM)

    assert [[kind for kind, _ in read_xser(part.xser)] for part in parts] == [[1, 2, 0x0C]] * 2


@pytest.mark.parametrize(("operation", "kind", "adc"), OLD)
def test_an_old_centre_gets_01_or_02(operation: str, kind: type, adc: object) -> None:
    adapter = an_adapter(operation=operation, authentication="12", premium_authentication="34")
    long = "[" * 79 + "a" + "[" * 80
    parts = written(adapter, long)

    assert all(type(part) is kind for part in parts)
    assert "".join(mt_text(part)[0] for part in parts) == long
    assert [len(read_ira(part.msg)) for part in parts] == [159, 160]
    assert adapter.parts_of(long) == 2
    [empty], [premium] = written(adapter, ""), written(adapter, "Hi", kind=MtKind.PREMIUM)
    assert (empty.adc, empty.oadc, empty.ac, empty.mt) == (adc, "4446", "12", "3")
    assert premium.ac == "34"
    for text, source in (("ё", "4446"), ("Hi", "Alpha")):
        with pytest.raises(ValueError, match=f"{operation} carries no"):
            adapter.write(an_mt(text, source=source), 1, NOW)


def test_a_02_names_how_many_it_goes_to_before_them() -> None:
    [call] = an_adapter(operation="02").write(an_mt("ABC", destination="0123456789"), 1, NOW)

    assert encode(call)[4:-3] == b"00044/O/02/1/0123456789/4446//3/414243/"


@pytest.mark.parametrize(
    ("ec", "sm", "outcome"),
    [
        (0, "00237670000001:241126081000", SubmitOutcome.ACCEPTED),
        (0, "thanks", SubmitOutcome.ACCEPTED),
        (4, " Operation not allowed (at this point in time)", SubmitOutcome.THROTTLED),
        (4, "", SubmitOutcome.TEMPORARY),
        (4, "barred", SubmitOutcome.PERMANENT),
        (50, "", SubmitOutcome.TEMPORARY),
        (55, "", SubmitOutcome.TEMPORARY),
        (7, "", SubmitOutcome.TEMPORARY),
        (90, "", SubmitOutcome.TEMPORARY),
        (91, "", SubmitOutcome.THROTTLED),
        (92, "", SubmitOutcome.PERMANENT),
        (5, "", SubmitOutcome.PERMANENT),
        (EC_UNREADABLE, "", SubmitOutcome.PERMANENT),
    ],
)
def test_what_the_centre_says_to_a_submission(ec: int, sm: str, outcome: SubmitOutcome) -> None:
    adapter = an_adapter(temporary_ecs="90", throttle_ecs="91, 93")
    answer, *others = [adapter.submit_answer(Result(1, ot, ec, "", sm)) for ot in ("51", "01", "02")]

    assert others == [answer, answer]
    assert (answer.outcome, answer.code) == (outcome, ec)
    assert answer.key == ("241126081000/70000001" if ":" in sm and not ec else "")
    assert bool(answer.sentence) == bool(ec)


@pytest.mark.parametrize(
    ("sm", "sentence"),
    [
        ("no credit", "EC 90: the operator's own error (no credit)"),
        ("", "EC 90: the operator's own error"),
        ("79001112233 unknown", "EC 90: the operator's own error"),
        ("79001112233:241126081000", "EC 90: the operator's own error"),
        ("to 79001112233/4446", "EC 90: the operator's own error"),
    ],
)
def test_the_centres_words_are_told_where_they_name_no_subscriber(sm: str, sentence: str) -> None:
    assert an_adapter().submit_answer(Result(1, "51", 90, "", sm)).sentence == sentence


def test_the_login_says_what_the_link_says() -> None:
    adapter = an_adapter(link={"password": "p@ss_1"}, login_opid="39", login_ton=1, login_npi=1)
    plain = an_adapter(link={"password": "p@ss_1"}, password_alphabet="ascii")

    login, by_ascii = adapter.bind(), plain.bind()

    assert type(login) is OpenSession
    assert (login.oadc, login.styp, login.vers) == ("tollbridge", "1", "0100")
    assert (login.oton, login.onpi, login.opid) == ("1", "1", "39")
    assert login.pwd == "700073731131"
    assert by_ascii is not None
    assert by_ascii.pwd == "704073735F31"
    assert type(adapter.unbind()) is Goodbye


def test_a_link_without_a_name_says_no_login() -> None:
    adapter = an_adapter(link={"system_id": ""}, my_number="4446")

    assert adapter.bind() is None
    session: Any = adapter.session(0)
    assert (session.settings.login, session.settings.address) == (False, "4446")


def test_only_what_is_our_own_fault_is_no_reason_to_try_soon() -> None:
    adapter = an_adapter()
    said = [adapter.refusal(Result(0, "60", ec)) for ec in (7, 6, 4, 55)]

    assert [refusal.for_good for refusal in said] == [True, True, False, False]
    assert said[0].sentence == "login refused: EC 07: authentication failure"


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({"notfy": 1}, "no option notfy; did you mean notify?"),
        ({"notify": 8}, "8 is not between 0 and 7"),
        ({"parked_s": -1.0}, "option parked_s: -1.0 is below 0"),
        ({"operation": "03"}, "'03' is none of 51, 01, 02"),
        *(
            ({"alphabet": name}, f"option alphabet: {name!r} is neither gsm7 nor a charset; write")
            for name in ("klingon", "hex", "rot13", "idna", "punycode", "undefined", "unicode_escape", "utf-16", "\0")
        ),
        ({"time_zone": "Moscow"}, "'Moscow' is no time zone, such as Europe/Moscow"),
        ({"temporary_ecs": "90, x"}, "'90, x' is no list of error codes"),
        ({"throttle_ecs": "0"}, "'0' is no list of error codes"),
        ({"billing_id": "4446=A 4446=B"}, "each sender once"),
        ({"premium_billing_id": "4446="}, "write ID or SENDER=ID"),
        ({"extra_services": "0C05"}, "an extra service ends beyond XSer"),
        ({"premium_extra_services": "020108"}, "an item of type 02 is said by the text itself"),
        ({"extra_services": "zz"}, "no hex"),
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
        ({"window": 101}, "window 101 is not between 1 and 100, UCP's widest"),
        ({"window": 0}, "window 0 is not between"),
        ({"bind": "both"}, "bind 'both' is none of"),
        ({"password": "пароль"}, "the password has a letter that gsm7 lacks"),
        ({"password": "é", "options": {"password_alphabet": "ascii"}}, "the password has a letter that ascii lacks"),
    ],
)
def test_wrong_fields_of_the_link_itself_are_explained_too(values: dict[str, Any], mistake: str) -> None:
    with pytest.raises(ConfigError, match=mistake):
        UcpAdapter(a_ucp_link(**values), an_operator())


def test_every_option_is_described() -> None:
    rows = list(describe(UcpOptions))

    assert len(rows) > 40
    assert all(len(meaning) > 8 for _, _, meaning in rows)
    assert an_adapter().spelled(4) == "EC 04"
