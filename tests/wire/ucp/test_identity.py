"""A recipient and a time stand for a message id."""

import pytest

from wire.ucp import Identity, read_identity, write_identity


@pytest.mark.parametrize("recipient", ["00237670000001", "237670000001", "+237670000001", "0670000001", "670000001"])
def test_a_recipient_in_any_form_has_the_same_key(recipient: str) -> None:
    identity = read_identity(write_identity(recipient, "241126081000"))

    assert identity == Identity(recipient, "241126081000")
    assert identity.key == Identity("237670000001", "241126081000").key == "241126081000/70000001"


def test_another_second_or_another_handset_is_another_message() -> None:
    keys = {
        Identity(recipient, scts).key
        for recipient in ("237670000001", "237670000002")
        for scts in ("241126081000", "241126081001")
    }

    assert len(keys) == 4


def test_a_short_recipient_is_taken_whole() -> None:
    assert Identity("8511", "241126081000").key == "241126081000/8511"


@pytest.mark.parametrize(
    "sm",
    [
        "",
        "241126081000",
        ":241126081000",
        "1:24112608100",
        "1:24112608100x",
        "1:2411260810000",
        "accepted",
        "1:²41126081000",
    ],
)
def test_free_text_is_no_identity(sm: str) -> None:
    assert read_identity(sm) is None


def test_an_identity_is_found_behind_spaces() -> None:
    assert read_identity(" 1:241126081000 ") == Identity("1", "241126081000")
