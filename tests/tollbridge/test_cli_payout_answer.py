"""`tollbridge payout answer`: the bank's file is read safely, shown, and booked once."""

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.bank_peer import Told, an_answer
from tests.tollbridge.desk import call
from tests.tollbridge.payday import a_payday, approved, asked, refused, states
from tollbridge.commands import payout_answer

BY = ("--by", "ada")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Payouts of 10.00, 20.00 and 30.00 RUB are in file 1."""
    config = a_payday(tmp_path)
    approved(config, 10, 20, 30)
    done = call(config, "payout", "export", "RUB", str(tmp_path / "payouts.xml"), *BY)
    assert done.exit_code == 0, done.output
    return config


def an_answer_to(config: Path, *told: Told, status: str = "PART", version: str = "10") -> str:
    """The path of the bank's answer to the file."""
    root = Xml.parse(config.parent / "payouts.xml").getroot()
    (name,) = [one.text or "" for one in root.iter() if one.tag.endswith("MsgId")]
    file = config.parent / "answer.xml"
    file.write_bytes(an_answer(name, {f"{name}-O": told} if told else None, status=status, version=version))
    return str(file)


@pytest.mark.parametrize("version", ["03", "10"])
def test_from_the_banks_answer_to_paid_and_failed(config: Path, version: str) -> None:
    file = an_answer_to(
        config, Told("PAYOUT-1", "ACSC", bank_reference="4711"), Told("PAYOUT-2", "RJCT", "AC04"),
        Told("PAYOUT-3", "ACSP"), version=version,
    )  # fmt: skip

    done = call(config, "payout", "answer", file, *BY)

    assert done.exit_code == 0, done.output
    assert [line.split()[-1] for line in done.stdout.splitlines()[2:]] == ["paid", "failed", "way"]
    assert "RJCT rejected: AC04 the account is closed" in done.stdout
    assert states(config) == ["paid", "failed", "sent"]
    assert asked(config, "payout", "show", "1")["reference"] == "4711"
    assert asked(config, "payout", "show", "2")["error"] == "the bank: AC04 the account is closed"
    assert call(config, "check").exit_code == 0


def test_the_same_answer_again_changes_nothing_and_says_so(config: Path) -> None:
    file = an_answer_to(config, Told("PAYOUT-1", "ACSC"), Told("PAYOUT-2", "RJCT", "AC04"))
    call(config, "payout", "answer", file, *BY)
    before = [asked(config, "payout", "show", number) for number in ("1", "2")]

    again = call(config, "payout", "answer", file, "--by", "olga")

    assert again.exit_code == 0
    assert "paid already" in again.output
    assert "failed already" in again.output
    assert [asked(config, "payout", "show", number) for number in ("1", "2")] == before


def test_a_dry_run_shows_what_would_be_and_needs_no_name(config: Path) -> None:
    file = an_answer_to(config, status="ACSC")

    done = call(config, "payout", "answer", file, "--dry-run")

    assert done.exit_code == 0
    assert done.output.count("would be paid") == 3
    assert states(config) == ["sent"] * 3
    assert call(config, "payout", "answer", file).exit_code == 2


def test_what_is_not_ours_is_listed_and_the_rest_is_done(config: Path) -> None:
    file = an_answer_to(config, Told("SALARY-1", "RJCT"), Told("PAYOUT-1", "ACSC"))

    value = asked(config, "payout", "answer", file, *BY, code=1)

    assert [(one["reference"], one["payout"], one["result"]) for one in value["payouts"]] == [
        ("PAYOUT-1", 1, "paid"), ("SALARY-1", None, ""),
    ]  # fmt: skip
    assert value["payouts"][1]["problem"] == "no payout in this file has this name"
    shown = call(config, "payout", "answer", file, *BY)
    assert shown.exit_code == 1
    assert "SALARY-1" in shown.output


def test_what_a_person_has_to_look_at_is_told_and_is_exit_code_1(config: Path) -> None:
    call(config, "payout", "paid", "1", *BY)

    done = call(config, "payout", "answer", an_answer_to(config, Told("PAYOUT-1", "RJCT", "AC04")), *BY)

    assert done.exit_code == 1
    assert "payout returned 1" in " ".join(done.output.split())
    assert states(config) == ["paid", "sent", "sent"]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03">&b;</Document>"""
OUTSIDE = """<?xml version="1.0"?>
<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03">&a;</Document>"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "has a document type or entities; no bank writes them, so it is not read"),
        (OUTSIDE, "has a document type or entities; no bank writes them, so it is not read"),
        ('<!DOCTYPE Document SYSTEM "http://127.0.0.1:1/x.dtd"><Document/>', "has a document type or entities"),
        ("<Document>", "is no XML: no element found"),
        ("", "is no XML: no element found"),
        ('<?xml version="1.0" encoding="klingon"?><Document/>', "is no XML: "),
        ("<html/>", "is no answer of a bank to payments, ISO 20022 pain.002, but 'html'"),
    ],
)
def test_what_is_no_answer_is_one_line_and_does_nothing(config: Path, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "strange.xml"
    file.write_text(text)

    said = refused(call(config, "payout", "answer", str(file), *BY))

    assert said.startswith(f"{file}: {why}")
    assert "root:" not in said
    assert states(config) == ["sent"] * 3


def test_a_file_that_is_too_large_is_not_read_to_its_end(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "large.xml"
    with file.open("wb") as stream:
        stream.truncate(payout_answer.ANSWER_MAX * 1000)

    assert refused(call(config, "payout", "answer", str(file), *BY)).endswith(
        "is larger than 16 MiB; that is no answer to a file of ours"
    )


def test_our_own_file_is_no_answer_and_a_missing_one_is_told(config: Path, tmp_path: Path) -> None:
    assert "but 'pain.001.001.09'" in refused(call(config, "payout", "answer", str(tmp_path / "payouts.xml"), *BY))
    assert refused(call(config, "payout", "answer", "nowhere.xml", *BY)) == "nowhere.xml: No such file or directory"


def test_an_answer_to_another_file_is_refused(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.xml"
    file.write_bytes(an_answer("SALARIES-7", status="ACSC"))

    assert refused(call(config, "payout", "answer", str(file), *BY)) == (
        "the bank answers to a file 'SALARIES-7', and none of that name was made here"
    )
