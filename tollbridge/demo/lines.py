"""The picture as lines: for a log, a pipe, and the summary at the end.

line_of    what flows, in one line
Events     what changed since the last picture, a line each: links, new reasons of refusal, alerts
summary    the end, for a person

Rule: plain text; what others wrote goes through `plain`.
"""

from collections.abc import Iterator

from core.money import format_micros
from tollbridge.demo.picture import Picture
from tollbridge.demo.screen import clock_of
from tollbridge.show import plain, rounded


def line_of(picture: Picture) -> str:
    """One line."""
    rows = picture.rows
    answer, reply = picture.answer_ms, picture.reply_ms
    earned = ", ".join(f"{rounded(line.partners)} {line.currency}" for line in rows.ledger)
    balances = all(line.balances for line in rows.ledger)
    return (
        f"{clock_of(picture.seconds)}  MO {picture.mo} ({picture.mo_rate:.1f}/s)  "
        f"replies {picture.replies} ({picture.reply_rate:.1f}/s)  answer {answer[0]}/{answer[1]} ms  "
        f"reply {reply[0]}/{reply[1]} ms  refused or unmatched {sum(rows.refused.values())}  "
        f"calls waiting {sum(rows.waiting.values())}  partners earned {earned or '0'}  "
        f"ledger {'balances' if balances else 'DOES NOT BALANCE'}"
    )


class Events:
    """Remembers what was said."""

    def __init__(self) -> None:
        self._links: dict[str, tuple[str, int]] = {}
        self._reasons: set[str] = set()
        self._dialogue = ""

    def since(self, picture: Picture) -> Iterator[str]:
        """What is new."""
        at = clock_of(picture.seconds)
        for link in picture.links:
            before = self._links.get(link.name, ("", 0))
            if link.state != before[0]:
                yield f"{at}  link {link.name}: {link.state}"
            elif link.sessions != before[1]:
                yield f"{at}  link {link.name}: cut, and bound again"
            self._links[link.name] = link.state, link.sessions
        if picture.dialogue != self._dialogue:
            self._dialogue = picture.dialogue
            yield f"{at}  USSD {plain(picture.dialogue)}"
        for why in picture.rows.refused:
            if why not in self._reasons:
                self._reasons.add(why)
                yield f"{at}  not for a partner: {plain(why)}"
        for _, sentence in picture.rows.alerts:
            yield f"{at}  alert: {plain(sentence)}"


def summary(picture: Picture) -> Iterator[str]:
    """What happened in all."""
    rows = picture.rows
    rate = picture.mo / max(0.001, picture.seconds)
    yield f"{clock_of(picture.seconds)}  {picture.mo} MO acknowledged ({rate:.1f}/s), {picture.replies} replied to"
    answer, reply = picture.answer_ms, picture.reply_ms
    yield f"answer {answer[0]} ms, 99 % within {answer[1]} ms; reply {reply[0]} ms, 99 % within {reply[1]} ms"
    yield f"{rows.repeats} redeliveries recognised; {sum(rows.waiting.values())} calls to partners still to be made"
    for why, count in rows.refused.items():
        yield f"  {count:5d}  {plain(why)}"
    for partner in picture.partners:
        earned = ", ".join(
            f"{rounded(amount)} {currency}" for currency, amount in sorted(partner.earned.items(), reverse=True)
        )
        yield f"  {partner.login:<8} {partner.calls:5d} calls ({partner.manner}), earned {earned or 'nothing'}"
    for line in rows.ledger:
        # Exact: rounded one by one, the parts would not sum to the whole.
        owed, partners, suspense, ours = map(format_micros, (line.operators, line.partners, line.suspense, line.ours))
        yield (
            f"  {line.currency}: operators owe us {owed} = partners {partners} + unclaimed {suspense} + ours {ours}"
            f"{'' if line.balances else '   DOES NOT BALANCE'}"
        )
