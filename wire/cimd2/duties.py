"""What we owe the peer: its requests by number, those that wait for their answer, and the refusals.

Duties    take, owe, say, settle, owes; put_off, again, given_up; refuse, pass_over; ignored, refused, repeated

Rule: a request is taken once: under the number that is next. Said again it gets its answer again; under any other
number a NACK with the one that is expected. A number is spent by what is refused, too, or nothing behind it would be
taken. Nothing is answered with a NACK that may be an answer itself. What an application's owner cannot take is his
again a little later, since there is no answer that says so; the centre waits for it meanwhile.

Source: sheet sections 1 to 3 and 7.
"""

from dataclasses import dataclass

from wire.cimd2 import codes
from wire.cimd2.codec import encode, name_of, refusal_of
from wire.cimd2.frames import read_head
from wire.cimd2.numbers import FIRST, Heard
from wire.cimd2.operations import Nack
from wire.cimd2.packet import FIRST_RESPONSE, Request, Response
from wire.cimd2.settings import Settings
from wire.cimd2.states import LINK, RULES, State, judge
from wire.errors import RemoteError
from wire.machine import Owing
from wire.session import Event, Role


@dataclass(slots=True)
class PutOff:
    """A request that its owner could not take: when there is no more use in it, when it is his again, whether it is."""

    until_ms: int
    again_ms: int
    error: int
    told: bool = False


class Duties(Owing):
    """One session's; what it says is put into `output`."""

    def __init__(self, role: Role, settings: Settings, output: list[bytes]) -> None:
        super().__init__(complains=settings.complains)
        self.repeated = 0
        self._heard = Heard(FIRST["smsc" if role == "esme" else "esme"], settings.window_in)
        self._output = output
        self._put_off: dict[int, PutOff] = {}  # by id(), as those that are owed
        self._role: Role = role
        self._settings = settings

    def __len__(self) -> int:
        return len(self._owed)

    def enter(self, state: State) -> None:
        """The session is in this state now."""
        self._state = state
        self._verdicts = {kind: judge(self._role, state, kind, self._settings.serves) for kind in RULES}
        if state is State.CLOSED:
            self._owed.clear()
            self._put_off.clear()

    # --- requests ---

    def take(self, packet: bytes, request: Request, events: list[Event]) -> bool:
        """Whether there is something to do for it; if not, all that can be said has been said."""
        if not self._is_next(packet, request.sequence, events):
            return False
        verdict = self._verdicts[type(request)]
        if verdict and self._state is not State.UNBINDING:
            told = verdict if verdict > 0 else None
            self._complain(request.name, told, f"not served, or not in state {self._state.value}", events)
        elif not verdict and type(request) not in LINK and len(self._owed) >= self._settings.window_in:
            if self._role == "esme":
                # Its number is not spent: the centre says it again when it gets no answer.
                self.ignored += 1
                return False
            verdict = self._settings.busy_error
        self._heard.take(request.sequence, packet)
        if verdict:
            self._refuse(request.code, request.sequence, verdict)
        return not verdict

    def owe(self, request: Request) -> None:
        """The owner will answer it."""
        self._owed[id(request)] = request

    def say(self, response: Response) -> None:
        """Answer, and keep the answer for a peer that asks again."""
        octets = encode(response, checksum=self._settings.checksum)
        self._heard.answered(response.sequence, octets)
        self._output.append(octets)

    def settle(self, request: Request) -> None:
        """It has its answer."""
        del self._owed[id(request)]
        self._put_off.pop(id(request), None)

    # --- what the owner cannot take now ---

    def put_off(self, request: Request, error: int, now_ms: int) -> None:
        """He gets it again later."""
        before = self._put_off.pop(id(request), None)
        until_ms = now_ms + self._settings.patience_ms if before is None else before.until_ms
        self._put_off[id(request)] = PutOff(until_ms, now_ms + self._settings.again_ms, error)

    def again(self, now_ms: int) -> list[Request]:
        """Those that are his again; each is told once."""
        due = [key for key, one in self._put_off.items() if not one.told and one.again_ms <= now_ms]
        for key in due:
            self._put_off[key].told = True
        return [self._owed[key] for key in due]

    def given_up(self, now_ms: int) -> str:
        """Why there is no use in waiting longer; "": there is."""
        for key, one in self._put_off.items():
            if not one.told and one.until_ms <= now_ms:
                return f"{self._owed[key].name} could not be taken: {codes.sentence(one.error)}"
        return ""

    def deadline_ms(self) -> int | None:
        """When to look again."""
        waiting = (min(one.until_ms, one.again_ms) for one in self._put_off.values() if not one.told)
        return min(waiting, default=None)

    # --- what cannot be used ---

    def refuse(self, packet: bytes, error: RemoteError, events: list[Event]) -> None:
        """A packet that could not be decoded."""
        head = read_head(packet)
        self._complain(name_of(packet), error.answer, error.reason, events)
        if head is not None and head[0] >= FIRST_RESPONSE:
            self.ignored += 1
        elif head is None or error.answer is None or error.answer == codes.NACK:
            self._say_nack()
        elif self._is_next(packet, head[1], events):
            self._heard.take(head[1], packet)
            self._refuse(*head, error.answer)

    def pass_over(self, dropped: int, events: list[Event]) -> None:
        """Packets that never came to their end, or were too long."""
        self.ignored += dropped
        self._complain("no operation", None, "a packet was cut short by another, or is too long", events)

    def _is_next(self, packet: bytes, number: int, events: list[Event]) -> bool:
        """Whether the request has the number that is next; if not, what is to be done with it is done."""
        verdict = self._heard.judge(number, packet)
        if verdict == "next":
            return True
        if verdict == "again":
            self.repeated += 1
            answer = self._heard.answer_of(number)
            if answer is not None:
                self._output.append(answer)
        else:
            expected = self._heard.expected
            self._complain(name_of(packet), codes.NACK, f"packet {number:03} where {expected:03} is next", events)
            self._say_nack()
        return False

    def _refuse(self, code: int, sequence: int, error: int) -> None:
        """The centre refuses; an application has no words for it."""
        refusal = refusal_of(code, sequence, error) if self._role == "smsc" else None
        if refusal is None:
            self.ignored += 1
            return
        self.refused += 1
        self.say(refusal)

    def _say_nack(self) -> None:
        self.refused += 1
        self._output.append(encode(Nack(self._heard.expected), checksum=self._settings.checksum))
