"""USSD of one process: the station with its store, partners' end points and the product's own actions.

build_dialogues   traffic.ussd.Dialogues, ready to run
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Clock
from core.money import format_micros
from core.ussd.actions import NONE, Call, Outcome
from core.ussd.session import Session
from partner_api.dispatch.http import HttpCaller
from partner_api.ussd import ask_partner
from plumbing.threads import Runs
from store.balances import read_balances
from store.database import Database
from store.ussd_sessions import UssdSessions
from traffic.ussd import Dialogues
from traffic.ussd_calls import Calls

Read: TypeAlias = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
"""Runs a reading function on a reader's thread."""
Means: TypeAlias = tuple[Callable[[], Catalogue], HttpCaller, int]


def build_dialogues(database: Database, writer: Runs, read: Read, clock: Clock, means: Means) -> Dialogues:
    """Nothing runs yet. `means`: the catalogue, who calls partners, how many calls there may be at once."""
    catalogue, caller, calls_max = means
    actions = {"balance": partial(_balance, read)}
    calls = Calls(ask_partner(caller), actions, catalogue, clock, total_max=calls_max)
    return Dialogues(UssdSessions(database), writer.run, clock, catalogue=catalogue, calls=calls)


async def _balance(read: Read, call: Call, session: Session) -> Outcome:
    """The subscriber's wallet. Where there are several, the first by currency."""
    lines = await read(lambda connection: read_balances(connection, [f"subscriber:{session.msisdn}:wallet"]))
    if not lines:
        return Outcome(NONE)
    return Outcome("ok", {"balance": format_micros(lines[0].amount), "currency": lines[0].currency})
