"""A partner's end point asked for a screen of a USSD menu: by the guarded, kept-alive connections of callbacks.

ask_partner   traffic.ussd_calls.AskPartner over an HttpCaller

What is sent and what an answer means: core/ussd/asking.py and docs/ussd.md. It is signed by the secret of the service.

Rule: whatever a partner does is an outcome, within the time limit of callbacks; nothing is asked a second time.
"""

from functools import partial

from structlog import get_logger

from core.catalogue import Service
from core.errors import PeerError
from core.ussd.actions import BUSY, Outcome
from core.ussd.asking import read_answer
from partner_api.dispatch.http import HttpCaller
from traffic.ussd_calls import AskPartner

log = get_logger()


def ask_partner(caller: HttpCaller) -> AskPartner:
    """Questions over this caller."""
    return partial(_ask, caller)


async def _ask(caller: HttpCaller, service: Service, url: str, body: bytes) -> Outcome:
    try:
        answer = await caller.ask(service, url, body)
    except TimeoutError:
        return Outcome(BUSY, why="no whole answer in time")
    except PeerError as reason:
        return Outcome(BUSY, why=str(reason))
    except OSError as reason:
        return Outcome(BUSY, why=f"the connection broke: {reason.strerror or reason}")
    except Exception as mistake:  # The edge of a door: a session must get its screen.
        log.exception("ussd call failed", partner=service.partner)
        return Outcome(BUSY, why=f"we failed to make the call ({type(mistake).__name__}); see the log")
    return read_answer(answer.status, bytes(answer.body))
