"""What our link asks a centre of an MT that it has, for tests with programs that are not ours.

Sent     an MT that the centre took: asked for, changed, taken back; each says what was found
through  all three of them, in an order in which a good centre says yes and then no
"""

from dataclasses import dataclass
from typing import Any

from core.message import Mt, SubmitAnswer, SubmitOutcome
from core.question import Finding, Found, Ordered, Question, Replacement, Withdrawal
from smsc_link.link import OperatorLink
from tests.smsc_link.ends import an_mt


@dataclass(frozen=True)
class Sent:
    """An MT of one part, at the centre."""

    link: OperatorLink
    mt: Mt
    question: Question

    @classmethod
    async def over(cls, link: OperatorLink, text: str, **values: Any) -> "Sent":
        """Submit one."""
        mt = an_mt(text, **values)
        [part] = link.write(mt, reference=1)
        answer: SubmitAnswer = await link.submit(part)
        assert answer.outcome is SubmitOutcome.ACCEPTED, answer
        asked_id = getattr(answer.key, "asked_id", "")
        submission = (mt.id, 0, mt.operator_id, mt.link_id, str(answer.key), mt.source, mt.destination, 0)
        return cls(link, mt, Question(*submission, asked_id=asked_id))

    async def asked(self) -> Finding:
        """What became of it."""
        return await self._say(self.question)

    async def replaced(self, text: str) -> Finding:
        """With this text."""
        return await self._say(Replacement.of(self.question, text=text, sent=self.mt.text, kind=self.mt.kind))

    async def cancelled(self) -> Finding:
        """Taken back."""
        return await self._say(Withdrawal.of(self.question))

    async def _say(self, question: Question) -> Finding:
        future = self.link.order(question) if isinstance(question, Ordered) else self.link.ask(question)
        assert future is not None, "there is room"
        return await future


async def through(sent: Sent, text: str) -> list[Found]:
    """Asked for, changed and taken back while it is under way, and asked for, changed and taken back when it is not.

    What its protocol cannot change is not.
    """
    changes = sent.link.obeys(Replacement)
    found = [await sent.asked()]
    found += [await sent.replaced(text)] if changes else []
    found += [await sent.cancelled(), await sent.asked()]
    found += [await sent.replaced(text)] if changes else []
    return [one.found for one in (*found, await sent.cancelled())]
