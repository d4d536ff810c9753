"""CIMD2: an MT taken back by 06, and what its answer means."""

from typing import Any

import pytest

from core.question import Finding, Found, Withdrawal
from smsc_link.adapter import Errand
from tests.smsc_link.protocols.cimd2_ends import NOW, STAMP, an_adapter
from wire.cimd2 import Cancel, CancelResp, GeneralError, Nack, Response


def a_withdrawal(key: str = f"{STAMP}/01112233") -> Withdrawal:
    return Withdrawal(5, 0, 7, 1, key, "4446", "79001112233", NOW)


def cancelling(**options: Any) -> Errand:
    return an_adapter(**options).errands[Withdrawal]


def test_it_names_one_message_by_destination_and_time_stamp() -> None:
    asked = cancelling(destination_form="plus").write(a_withdrawal())

    assert asked == Cancel(cancel_mode=2, destination="+79001112233", time_stamp=STAMP)


@pytest.mark.parametrize("key", ["", "/01112233", "M000001", "yesterday/01112233"])
def test_what_the_centre_gave_no_time_stamp_cannot_be_taken_back(key: str) -> None:
    with pytest.raises(ValueError, match="did not say when"):
        cancelling().write(a_withdrawal(key))


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (CancelResp(), Found.CANCELLED),
        (CancelResp(error=7), Found.KEPT),
        (CancelResp(error=9), Found.KEPT),
        (CancelResp(error=600), Found.KEPT),
        (CancelResp(error=10), Found.LATER),
        (CancelResp(error=1), Found.REFUSED),
        (GeneralError(), Found.REFUSED),
        (Nack(), Found.LATER),
    ],
)
def test_what_the_centre_says(response: Response, found: Found) -> None:
    said = cancelling().read(a_withdrawal(), response)

    assert isinstance(said, Finding)
    assert said.found is found
    assert found is Found.CANCELLED or said.word
