"""`tollbridge payout show` of one that two persons have ended; `payout scheduled` where nothing is."""

from pathlib import Path

from tests.tollbridge.desk import a_folder, call
from tests.tollbridge.payday import a_payday, asked

BY = ("--by", "ada")


def test_who_ended_a_payout_and_who_agreed_are_both_shown_with_their_act(tmp_path: Path) -> None:
    config = a_payday(tmp_path)
    with config.open("a") as file:
        file.write('[money]\nsecond_person_above = "40"\n')
    asked(config, "payout", "request", "acme", "RUB", "50.00", "--by", "olga")
    for name in ("ada", "ben"):
        asked(config, "payout", "approve", "1", "--by", name)
    call(config, "payout", "export", "RUB", str(config.parent / "x.xml"), *BY)
    call(config, "payout", "failed", "1", *BY, "--reason", "account closed")
    waits = call(config, "payout", "show", "1").output
    call(config, "act", "approve", "1", "--by", "ben")

    shown = " ".join(call(config, "payout", "show", "1").output.split())
    value = asked(config, "payout", "show", "1")

    assert "1, asked for by ada, waits for a second person, see: tollbridge act show 1" in " ".join(waits.split())
    assert "act 1, asked for by ada, agreed to by ben, see: tollbridge act show 1" in shown
    assert "ada, agreed to by ben failed account closed" in shown
    assert [(one["id"], one["author"], one["approver"]) for one in value["acts"]] == [(1, "ada", "ben")]


def test_nothing_on_schedule_is_said_so(tmp_path: Path) -> None:
    assert call(a_folder(tmp_path), "payout", "scheduled").output == "nothing is on schedule\n"
