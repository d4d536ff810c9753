"""The question that a session has under way: what became of one submission, or an order to it (core/question.py).

Asking   of one session: sends it where MT leave room, and says what came of it

Most protocols answer in the response; in UCP the centre heard the question, and tells by an operation of its own.

Rule: one at a time, and every question ends in exactly one Finding, with the session at the latest.
"""

import asyncio
from collections.abc import Mapping

from structlog import get_logger

from core.question import Finding, Found, Ordered, Question
from plumbing.conversation import Conversation
from smsc_link.adapter import Errand, Inquiry, Silence
from smsc_link.mishaps import Mishaps
from wire.errors import LocalError
from wire.session import Answered, Operation, Unanswered

log = get_logger()

HEAR_S = 30.0
"""How long a centre may take for an answer that is an operation of its own."""


class Asking:
    """What is asked in one session."""

    def __init__(
        self, inquiry: Inquiry | None, errands: Mapping[type[Ordered], Errand], link: str, mishaps: Mishaps
    ) -> None:
        self._inquiry = inquiry
        self._errands = errands
        self._link = link
        self._mishaps = mishaps
        self._errand: Errand | None = None
        self._silence: Silence | None = None
        """What was answered, while more may be said."""
        self._question: Question | None = None
        self._request: Operation = None
        self._future: asyncio.Future[Finding] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_free(self) -> bool:
        """Nothing is asked at present."""
        return self._question is None

    def ask(self, question: Question, conversation: Conversation) -> "asyncio.Future[Finding]":
        """Send it; there must be room. Never raises."""
        errand = self._errands.get(type(question)) if isinstance(question, Ordered) else self._inquiry
        assert self.is_free, self._question
        assert errand is not None, question
        future: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()
        try:
            request = errand.write(question)
            conversation.send(request)
        except (ValueError, LocalError) as error:
            reason = error.reason if isinstance(error, LocalError) else str(error)
            log.warning("a question cannot be written", link=self._link, message=question.mt_id, reason=reason)
            future.set_result(Finding(Found.NOT_KNOWN, f"it cannot be asked: {reason}"))
            return future
        except Exception as error:
            future.set_result(self._stumbled(error, "question"))
            return future
        self._errand, self._question, self._request, self._future = errand, question, request, future
        return future

    def answered(self, event: Answered) -> bool:
        """Whether this is the response to the question."""
        if self._question is None or self._errand is None or event.request is not self._request:
            return False
        try:
            said = self._errand.read(self._question, event.response)
        except Exception as error:
            said = self._stumbled(error, type(event.response).__name__, in_doubt=True)
        if isinstance(said, Finding):
            self._end(said)
        else:
            self._silence = silence = said or Silence(_unheard("no answer"), HEAR_S)
            self._timer = asyncio.get_running_loop().call_later(silence.hear_s, self._end, silence.finding)
        return True

    def unanswered(self, event: Unanswered) -> bool:
        """Whether this says that the question gets no response."""
        if self._question is None or event.request is not self._request:
            return False
        self._end(_unheard(f"no answer ({event.reason})"))
        return True

    def overhears(self, operation: Operation) -> bool:
        """Whether an operation of the centre is the answer that was to come."""
        if self._timer is None or self._question is None or self._errand is None:
            return False
        finding = self._errand.overhear(self._question, operation)
        if finding is None:
            return False
        self._end(finding)
        return True

    def closed(self) -> None:
        """The session is over. What was answered already stands, though more might have been said."""
        self._end(self._silence.finding if self._silence is not None else _unheard("no answer (lost)"))

    def _stumbled(self, error: Exception, what: str, *, in_doubt: bool = False) -> Finding:
        """A mistake of ours is that question's."""
        self._mishaps.happened(error, what, became="it is asked again later")
        return Finding(Found.LATER, "a mistake of ours; see the log", in_doubt=in_doubt)

    def _end(self, finding: Finding) -> None:
        future = self._future
        if self._timer is not None:
            self._timer.cancel()
        self._errand = self._question = self._request = self._future = self._timer = self._silence = None
        if future is not None and not future.done():
            future.set_result(finding)


def _unheard(word: str) -> Finding:
    """It was sent; the centre may have done what was asked."""
    return Finding(Found.LATER, word, in_doubt=True)
