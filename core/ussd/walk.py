"""From screen to screen: what an input, an outcome or a target makes of a session.

Walk   a menu, a link's ways and the present moment; each method gives the session after it, and the effects

Rule: a session that leaves here waits for the user, waits for an action, or is over; never anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from core.clock import Instant
from core.ussd.actions import BUSY, ITEMS_MAX, LABEL_MAX, NONE, VALUE_MAX, Call, Item, Outcome
from core.ussd.menu import Do, Menu, Screen, Target
from core.ussd.paging import BACK, BEFORE, MORE
from core.ussd.screens import last_reply, last_text, page_count, reply_of
from core.ussd.session import Effects, Session, Show, State, Ways
from core.ussd.turn import Reply, clean

Went: TypeAlias = tuple[Session, Effects]

CONTINUE, NEW = "1", "2"
RESUME_TRIES = 3
SAID_MAX = 1000


@dataclass(frozen=True, slots=True)
class Walk:
    """One step's surroundings."""

    menu: Menu
    ways: Ways
    now: Instant

    # --- what was typed -----------------------------------------------------------------------------------------------

    def resumed(self, session: Session, typed: str) -> Went:
        """The answer to «1 continue, 2 new»."""
        saved = session.saved
        assert saved is not None, session
        fresh = replace(session, saved=None, wrong=0, line="")
        if typed.strip() == CONTINUE:
            fresh = replace(
                fresh, screen=saved.screen, answers=saved.answers, trail=saved.trail, language=saved.language
            )
            return self.enter(fresh, Target(saved.screen))
        if typed.strip() == NEW:
            return self.enter(replace(fresh, screen=self.menu.start), Target(self.menu.start))
        return self._wrong(session, RESUME_TRIES)

    def typed(self, session: Session, typed: str) -> Went:
        """An input on a screen of the menu: a page, an answer, back, or a mistake, in this order."""
        screen = self.menu.screens[session.screen]
        plain = typed.strip()
        if plain == MORE and session.page + 1 < page_count(session, self.menu, self.ways.room):
            return self.show(replace(session, page=session.page + 1))
        if plain == BEFORE and session.page > 0:
            return self.show(replace(session, page=session.page - 1))
        value = _accepted(session, screen, typed)
        if value is not None:
            return self._taken(session, screen, plain, value)
        if plain == BACK and session.trail:
            back = replace(session, trail=session.trail[:-1])
            return self.enter(back, Target(session.trail[-1]), is_back=True)
        return self._wrong(session, screen.tries)

    def _taken(self, session: Session, screen: Screen, typed: str, value: str) -> Went:
        """A right answer: remembered, and on."""
        answers = {**session.answers, screen.into: value} if screen.into else session.answers
        language = screen.language.get(typed, session.language)
        session = replace(session, answers=answers, language=language, wrong=0)
        if screen.do is not None:
            return self.call(session, screen.do, value)
        target = screen.choice.get(typed) if screen.choice else screen.next
        assert target is not None, screen
        return self.enter(session, target)

    def _wrong(self, session: Session, tries: int) -> Went:
        if session.wrong + 1 >= tries:
            return self.end(session, "tries")
        return self.show(replace(session, wrong=session.wrong + 1, line="input_wrong", page=0))

    # --- screens ------------------------------------------------------------------------------------------------------

    def enter(self, session: Session, target: Target, *, is_back: bool = False) -> Went:
        """On to a screen: shown, answered by what was dialled, or at work."""
        if target.is_end:
            return self.end(session, target.line)
        screen = self.menu.screens[target.screen]
        session = replace(
            session,
            trail=session.trail if is_back else self._trail(session, screen),
            wrong=0,
            screen=screen.name, line=target.line, page=0, visit=session.visit + 1, items=(), said="",
        )  # fmt: skip
        if screen.items is not None:
            return self.call(session, screen.items, "", for_list=True)
        if not screen.asks:
            return self.call(session, screen.do, "")
        session, dialled = _dialled_answer(session, screen)
        value = _accepted(session, screen, dialled) if dialled else None
        if value is not None:
            return self._taken(session, screen, dialled, value)
        return self.show(session)

    def _trail(self, session: Session, screen: Screen) -> tuple[str, ...]:
        """The screens asked before, for `0`. One that comes again takes off what came after it."""
        trail = session.trail
        left = self.menu.screens.get(session.screen)
        if left is not None and left.asks and session.visit and left is not screen and left.name not in trail:
            trail = (*trail, left.name)
        return trail[: trail.index(screen.name)] if screen.name in trail else trail

    def show(self, session: Session) -> Went:
        """The present page of the present screen; the user's turn."""
        return self._shown(session, reply_of(session, self.menu, self.ways.room))

    def end(self, session: Session, name: str) -> Went:
        """The last screen with the text of this name."""
        return self._shown(session, last_reply(session, self.menu, name, self.ways.room))

    def _shown(self, session: Session, reply: Reply) -> Went:
        state = State.ENDED if reply.end else State.ASKING
        return replace(session, state=state, reply=reply, shown_at=self.now), (Show(reply),)

    # --- actions ------------------------------------------------------------------------------------------------------

    def call(self, session: Session, do: Do | None, typed: str, *, for_list: bool = False) -> Went:
        """An action of the screen. Those one after the other share their turn's time: the user waits for all."""
        assert do is not None, session
        until = max(session.touched_at + do.wait_ms, self.now)
        session = replace(session, state=State.WORKING, visit=session.visit + 1, until=until, said="")
        call = Call(
            f"{session.id}-{session.visit}", session.key, session.visit, do.action, session.screen, until, do.url,
            clean(typed, VALUE_MAX), session.answers, for_list,
        )  # fmt: skip
        return session, (call,)

    def listed(self, session: Session, do: Do, came: Outcome) -> Went:
        """The items of a list are there, or why not."""
        items = tuple(Item(clean(item.key, LABEL_MAX), clean(item.label, LABEL_MAX)) for item in came.items[:ITEMS_MAX])
        items = tuple(item for item in items if item.key and item.label)
        if items:
            return self.show(replace(session, items=items))
        return self.enter(session, do.leads_to(NONE if came.name in {"", NONE} and not came.text else BUSY))

    def said(self, session: Session, came: Outcome) -> Went:
        """A partner's own text: the last screen, or one whose answer goes to the same end point."""
        text = clean(came.text, SAID_MAX, lines=True)
        if not text:
            return self.end(session, "later")
        if came.end:
            return self._shown(session, last_text(text, self.ways.room, session.screen))
        return self.show(replace(session, said=text, line="", page=0))

    def with_values(self, session: Session, values: Mapping[str, str], declared: Mapping[str, int]) -> Session:
        """Only what the menu knows is taken, no longer than it says."""
        taken = {name: clean(values[name], most) for name, most in declared.items() if name in values}
        return replace(session, answers={**session.answers, **taken}) if taken else session


def _accepted(session: Session, screen: Screen, typed: str) -> str | None:
    if screen.input is not None:
        return screen.input.accept(typed)
    plain = typed.strip()
    if screen.items is not None:
        number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 3 else 0
        return session.items[number - 1].key if 1 <= number <= len(session.items) else None
    return plain if plain in screen.choice else None


def _dialled_answer(session: Session, screen: Screen) -> tuple[Session, str]:
    """The answer that was dialled with the code, which is taken once."""
    number = screen.prefill - 1
    if not 0 <= number < len(session.prefilled):
        return session, ""
    given = session.prefilled
    return replace(session, prefilled=(*given[:number], "", *given[number + 1 :])), given[number]
