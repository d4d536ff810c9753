"""What the bank says of a file, held against the payouts in it, and booked.

plan        an answer → what it says of each payout, and what becomes of it
carry_out   one of these, booked

Rule: an answer moves only what is in the file that it answers, and only what is sent. Read twice it changes nothing.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from core.bank_answer import BankAnswer, Meaning, Saying
from core.bank_file import Names, read_names
from core.errors import UserMistake
from core.money import format_micros
from core.payouts import IS_BACK, PayoutState
from store.payout_files import file_of_name, payout_of_name, read_file
from store.payout_lists import list_payouts
from store.payout_rules import state_word
from store.payouts import PayoutRow, Payouts

ALL = 100_000
"""More than a file may have transfers."""
_IS_SENT = frozenset({PayoutState.SENT})


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one transfer. Without a row it is none of ours in this file. `moves_to` is the state that comes,
    None where nothing is to be done; `problem` says why a person has to look, "" where nobody has to.
    """

    saying: Saying
    row: PayoutRow | None
    moves_to: PayoutState | None = None
    problem: str = ""


def plan(connection: Connection, answer: BankAnswer) -> list[Line]:
    """Each payout of the file of which something is said. Raises UserMistake where the file is none of ours."""
    file_id, names = _names(connection, answer)
    rows = {row.id: row for row in list_payouts(connection, file_id=file_id, limit=ALL)}
    return [_line(saying, rows) for saying in answer.sayings(names)]


def carry_out(payouts: Payouts, line: Line, *, author: str) -> PayoutRow:
    """Book what the bank says; nothing where nothing is to be done. Raises UserMistake, StoreAway."""
    assert line.row is not None, line
    saying = line.saying
    match line.moves_to:
        case PayoutState.PAID:
            return payouts.paid(line.row.id, author=author, reference=saying.bank_reference)
        case PayoutState.FAILED:
            reason = f"the bank: {saying.status.reason or 'rejected, without a reason'}"
            return payouts.failed(line.row.id, author=author, reason=reason)
        case _:
            return line.row


def _names(connection: Connection, answer: BankAnswer) -> tuple[int, Names]:
    file_id = file_of_name(answer.file)
    if file_id:
        try:
            names = read_names(read_file(connection, file_id).content)
        except UserMistake:
            names = Names("", {})
        if names.file == answer.file:
            return file_id, names
    raise UserMistake(f"the bank answers to a file {answer.file[:40]!r}, and none of that name was made here")


def _line(saying: Saying, rows: dict[int, PayoutRow]) -> Line:
    row = rows.get(payout_of_name(saying.reference))
    if row is None:
        return Line(saying, None, problem="no payout in this file has this name")
    if saying.contradicts:
        return Line(saying, row, problem=f"{saying.contradicts}; ask the bank")
    if saying.amount is not None and (saying.amount, saying.currency) != (row.amount, row.currency):
        said = f"{format_micros(saying.amount)} {saying.currency}"
        return Line(saying, row, problem=f"the bank speaks of {said}; ask it")
    return _judged(saying, row)


def _judged(saying: Saying, row: PayoutRow) -> Line:
    """By where the payout stands."""
    if saying.meaning is Meaning.UNDER_WAY:
        return Line(saying, row)
    if saying.meaning is Meaning.UNCLEAR:
        # What it had before may have come to an end meanwhile: then the repeat says nothing new.
        return Line(saying, row, problem=_look_for_the_first(saying, row) if row.state in _IS_SENT else "")
    comes = PayoutState.PAID if saying.meaning is Meaning.PAID else PayoutState.FAILED
    if row.state in _IS_SENT:
        return Line(saying, row, comes)
    # An answer may be read again when more has happened: what was paid may have come back since.
    if row.state in ({comes, *IS_BACK} if comes is PayoutState.FAILED else {comes, PayoutState.RETURNED}):
        return Line(saying, row)
    if comes is PayoutState.FAILED:
        what = f"it is {state_word(row.state)}; look there, then: tollbridge payout returned {row.id} --by NAME "
        return Line(saying, row, problem=f"{what}--reason TEXT")
    return Line(saying, row, problem=f"it is {state_word(row.state)}; look there, who has the money?")


def _look_for_the_first(saying: Saying, row: PayoutRow) -> str:
    """A file that was uploaded twice, since nobody knew whether it had arrived, is rejected once and paid once."""
    return (
        f"the bank has had it before ({saying.repeats}), and may pay that one: wait for its answer to the first; if "
        f"there is none and our account was not charged: tollbridge payout failed {row.id} --by NAME --reason TEXT"
    )
