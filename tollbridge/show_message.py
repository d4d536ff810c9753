"""The life of a message as a story for a person: what came, what was decided and why, what was done, what was booked.

show_life    one message
show_lines   a subscriber's list, or what is parked; show_held, what fraud withholds

Rule: every amount of the split is shown with the version that made it, so that it can be reckoned again by hand.
"""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from core.money import format_micros
from core.tariff.charge import ChargeKind
from core.tariff.rate import NO_TARIFF
from store.holds import Holds
from store.journal import CallbackState
from store.life import (
    ActLife,
    AlertLife,
    AttemptLife,
    CallbackLife,
    CalledAgainLife,
    CancelLife,
    ChargeLife,
    DetailLife,
    EntryLife,
    Life,
    MessageLine,
    MoLife,
    MoveLife,
    MtLife,
    ReplaceLife,
)
from tollbridge.show import coloured, console, heading, moment, money, number, plain, table
from tollbridge.show_receipts import shown_id

MT_COST = ChargeKind.MT_COST.name.lower()
TAKEN = frozenset({CallbackState.ANSWERED.public, CallbackState.LATER.public})
"""How a call has gone well: what is said of its answer then is a note to the partner, else why it failed."""

REASONS = {
    NO_TARIFF: "no tariff of the short code for this operator: it waits, unrated",
    "no_plan": "the partner has no plan that rates it: what the operator pays lies in suspense",
    "refused": "refused by fraud: what the operator pays lies in suspense",
    "no_short_code": "nobody has this short code: what the operator pays lies in suspense",
    "no_number": "its sender is no number, so nobody could answer it: what the operator pays lies in suspense",
    "no_prefix": "no service has a prefix that matches: what the operator pays lies in suspense",
    "test": "a test: nothing is charged",
    "free": "writing to this short code costs nothing: its tariff charges what comes from it",
    "charged_back": "the operator took it back",
    "refunded": "the subscriber was refunded, by the operator",
    "returned": "it was given back to the operator out of suspense",
    "hold_refused": "what fraud held was refused: the revenue lies in suspense",
    "assigned": "a person gave it to this partner",
    "late": "its receipt came after the first charge was voided",
}


def show_life(life: Life, *, full: bool, out: Console | None = None) -> None:
    """Print all of it."""
    out = out or console()
    if life.mo is not None:
        _show_mo(life, life.mo, full, out)
    elif life.kind == "part":
        out.print(f"{life.asked} is a part of a long message that still waits for the others")
    mt = life.mt
    if mt is not None:
        _show_mt(life, mt, full, out)
    if life.details:
        _show_details(life.details, out)
    if life.acts:
        _show_acts(life.acts, out)
    for entry in life.entries:
        _show_entry(entry, out)
    if life.alerts:
        heading(out, "Alerts")
        for alert in life.alerts:
            about = f"{alert.kind} {plain(alert.subject)}: {plain(alert.sentence)}"
            out.print(f"  {moment(alert.at)}  {about} ({_resolved(alert)})")
        out.print()


def _resolved(alert: AlertLife) -> str:
    if alert.resolved_at is None:
        return "unresolved"
    by = f" by {plain(alert.resolved_by)}" if alert.resolved_by else ""
    return f"resolved {moment(alert.resolved_at)}{by}" + (f": «{plain(alert.note)}»" if alert.note else "")


def _show_mo(life: Life, mo: MoLife, full: bool, out: Console) -> None:
    asked = f"  ({life.asked} is a {life.kind} of it)" if life.kind in {"part", "repeat"} else ""
    heading(out, f"MO {mo.id}{asked}")
    place = f"on link {mo.link} of {mo.operator} ({mo.country}), process {mo.process_id}"
    _fact(out, "accepted", f"{moment(mo.accepted_at)} UTC {place}")
    _fact(out, "from, to", f"{number(mo.source, full=full)} → {plain(mo.short_code)}{', a test' if mo.test else ''}")
    _fact(out, "text", f"«{plain(mo.text)}»")
    whole = "" if mo.complete else ", incomplete: the others did not come in time"
    fingerprint = f"{mo.fingerprint & (2**64 - 1):016x}"
    _fact(out, "PDU", f"{_parts(mo.parts)}{whole}, data_coding {mo.data_coding}, fingerprint {fingerprint}")
    because = plain(shown_id(mo.new_because, mo.source, full=full), 200)
    _fact(out, "new", "each of its parts was judged by itself when it came" if mo.part_rows else because)
    for part in mo.part_rows:
        place = f"part {part.sequence} of {part.total}, reference {part.reference}"
        _fact(out, "", f"{place}: {moment(part.arrived_at)}, id {part.id}")
    for repeat in mo.repeats:
        place = f"{moment(repeat.arrived_at)} on {repeat.link}"
        _fact(out, "repeat", f"{place}: {plain(repeat.reason)}; acknowledged, not charged, id {repeat.id}")
    out.print()
    _show_decision(mo, out)
    _show_charge("Charge", mo.charge, out)
    for correction in mo.corrections:
        _show_charge(f"Charge: {correction.kind.replace('_', ' ')}", correction, out, life.acts)
    if mo.callback is not None:
        _show_callback(mo.callback, out)


def _show_decision(mo: MoLife, out: Console) -> None:
    heading(out, "Decision")
    if mo.service:
        prefix = f"prefix «{plain(mo.prefix)}»" if mo.prefix else "the short code's service without a prefix"
        _fact(out, "route", f"{prefix} → {plain(mo.partner)}/{plain(mo.service)}")
    else:
        _fact(out, "route", f"to no service ({mo.charge.reason or 'unrouted'})")
    _fact(out, "verdict", mo.verdict + (f": {plain(mo.verdict_reason)}" if mo.verdict_reason else ", no rule spoke"))
    out.print()


def _parts(count: int) -> str:
    return f"{count} part" if count == 1 else f"{count} parts"


def _show_charge(title: str, charge: ChargeLife, out: Console, acts: Sequence[ActLife] = ()) -> None:
    heading(out, title)
    why = REASONS.get(charge.reason, charge.reason)
    month = f", month {charge.month}" if charge.month else ""
    entry = f", entry {charge.entry_id}" if charge.entry_id else ""
    _fact(out, "state", f"{charge.state}{month}{entry}{', the partner’s part is withheld' if charge.held else ''}")
    if why:
        _fact(out, "because", why)
    for act in acts:
        if act.entry_id and act.entry_id == charge.entry_id:
            _fact(out, "by", _said(act))
    if charge.state != "none":
        lines = table("", ">amount", "made by")
        for what, amount, made_by in _split(charge):
            lines.add_row("  " + what, money(amount, charge.currency), made_by)
        out.print(lines)
    out.print()


def _split(charge: ChargeLife) -> Iterator[tuple[str, int, str]]:
    """Every part of the price, with the version that made it; they sum to the price."""
    version = f"tariff version {charge.tariff_id}" if charge.tariff_id else ""
    is_cost = charge.kind == MT_COST  # What the operator takes has no price, and versions of its own.
    yield "price", charge.price, "" if is_cost else version
    yield "= VAT", charge.vat, f"VAT version {charge.vat_id}" if charge.vat_id else ""
    yield "+ operator", charge.operator_part, version.replace("tariff", "mt_cost") if is_cost else version
    base = format_micros(charge.base)
    before = format_micros(charge.volume_before)
    if charge.plan_version_id:
        plan = f"plan {plain(charge.plan)}, version {charge.plan_version_id}; base {base}, volume before it {before}"
        yield "+ partner", charge.partner_part, plan
    else:
        yield "+ partner", charge.partner_part, ""
    if charge.referral_id:
        cap = (
            "" if charge.referral_before is None else f", {format_micros(charge.referral_before)} of the cap before it"
        )
        yield "+ referrer", charge.referral_part, f"{plain(charge.referrer)}, terms {charge.referral_id}{cap}"
    yield "+ ours", charge.ours, "what is left"
    if charge.suspense:
        yield "+ suspense", charge.suspense, "belongs to nobody yet"


def _show_callback(callback: CallbackLife, out: Console) -> None:
    heading(out, "Callback")
    due = f", due {moment(callback.due_at)}" if callback.due_at else ""
    lease = f", process {callback.leased_by}" if callback.leased_by and callback.due_at else ""
    line = Text("  ").append("state      ", style="dim").append_text(coloured(callback.state)).append(due + lease)
    out.print(line)
    again = list(callback.called_again)
    for attempt in callback.attempts:
        while again and again[0].at <= attempt.tried_at:
            _show_called_again(again.pop(0), out)
        is_last = attempt is callback.attempts[-1]
        _show_attempt(attempt, out, is_taken=is_last and callback.state in TAKEN)
    for called in again:
        _show_called_again(called, out)
    out.print()


def _show_called_again(called: CalledAgainLife, out: Console) -> None:
    """Given up, and then a person had it called again."""
    why = f": «{plain(called.note)}»" if called.note else ""
    _fact(out, "again", f"{moment(called.at)}  by {plain(called.author)}, for another 24 hours{why}")


def _show_attempt(attempt: AttemptLife, out: Console, *, is_taken: bool) -> None:
    """`is_taken`: the partner's answer was one, and ended the job."""
    said = f"HTTP {attempt.status}" if attempt.status else "no answer"
    _fact(
        out,
        f"attempt {attempt.attempt}",
        f"{moment(attempt.tried_at)}  {said} after {attempt.latency_ms} ms  {plain(attempt.url, 200)}",
    )
    if attempt.key_id:
        _fact(out, "", f"signed with the secret {attempt.key_id}")
    if attempt.error:
        # An answer that was taken may still be no use: the partner should know why nothing was sent.
        _fact(out, "", f"{'note' if is_taken else 'failed'}: {plain(attempt.error)}")
    if attempt.answer:
        _fact(out, "", f"answer: «{plain(attempt.answer, 300)}»")


def _show_mt(life: Life, mt: MtLife, full: bool, out: Console) -> None:
    def shown(key: str) -> str:
        return plain(shown_id(key, mt.destination, full=full))

    heading(out, f"Reply: MT {mt.id}" if mt.reply_to else f"MT {mt.id}")
    _fact(
        out,
        "from, to",
        f"{plain(mt.source)} → {number(mt.destination, full=full)} on link {mt.link or '—'} of {mt.operator}",
    )
    _fact(out, "text", f"«{plain(mt.text)}» ({_parts(mt.parts)})")
    line = Text("  ").append("state      ", style="dim").append_text(coloured(mt.state))
    notes = [f"attempt {mt.attempt}"] if mt.attempt > 1 else []
    notes += ["maybe sent twice"] if mt.maybe_twice else []
    notes += [plain(mt.error)] if mt.error else []
    out.print(line.append(f" ({'; '.join(notes)})" if notes else ""))
    _fact(out, "created", moment(mt.created_at))
    if mt.submitted_at:
        _fact(out, "submitted", moment(mt.submitted_at) + (f", the operator's id {shown(mt.key)}" if mt.key else ""))
    for part in mt.part_rows:
        final = f" at {moment(part.final_at)}" if part.final_at else ""
        error = f" ({plain(part.error)})" if part.error else ""
        _fact(out, "", f"part {part.sequence}: the operator's id {shown(part.key)}, {part.state}{final}{error}")
    # As it happened; of one moment, the order stands before the move that it made.
    story: list[MoveLife | CancelLife] = [*mt.cancels, *mt.replaces, *mt.moves]
    for happened in sorted(story, key=lambda one: one.at):
        _show_happened(happened, out)
    if mt.final_at:
        because = "" if mt.receipted else f", not by a receipt: {plain(mt.error) or 'nobody said why'}"
        _fact(out, "receipt" if mt.receipted else "ended", f"{moment(mt.final_at)}  {mt.state}{because}")
    for receipt in mt.receipts:
        _fact(
            out,
            "receipt",
            f"{moment(receipt.arrived_at)}  {plain(receipt.word)} {plain(receipt.error)}, waits for its MT",
        )
    if mt.pays != "free":
        who = f"its partner, {money(mt.price, mt.currency)}" if mt.pays == "standard" else "the subscriber"
        _fact(out, "paid by", who)
    out.print()
    for charge in mt.charges:
        _show_charge(f"Charge: {charge.kind.replace('_', ' ')}", charge, out, life.acts)


def _show_happened(one: MoveLife | CancelLife, out: Console) -> None:
    """A move of its own, or a person's order with what came of it."""
    if isinstance(one, MoveLife):
        _fact(out, "move", f"{moment(one.at)}  {one.old} → {one.new}: {plain(one.reason)}")
        return
    came = plain(one.result) or "not done yet"
    order = "replace" if isinstance(one, ReplaceLife) else "cancel"
    _fact(out, order, f"{moment(one.at)}  by {plain(one.author)}: {plain(one.note)}; {came}")
    if isinstance(one, ReplaceLife):
        _fact(out, "", f"«{plain(one.old_text)}» → «{plain(one.text)}»")


def _show_acts(acts: Sequence[ActLife], out: Console) -> None:
    """What people did about it, or want to."""
    heading(out, "Acts of people")
    for act in acts:
        entry = f", entry {act.entry_id}" if act.entry_id else ""
        _fact(out, moment(act.at)[:10], f"{_said(act)} ({act.state}{entry})")
    out.print()


def _said(act: ActLife) -> str:
    """`act 4, charge back: olga, «complaint 17»; agreed to by ada`."""
    name = f"settlement {act.id}" if act.kind == "settlement" else f"act {act.id}, {act.kind.replace('_', ' ')}"
    word = "refused" if act.state == "refused" else "agreed to"
    second = f"; {word} by {plain(act.approver)}" if act.approver else ""
    return f"{name}: {plain(act.author)}, «{plain(act.reason)}»{second}"


def _show_details(details: Sequence[DetailLife], out: Console) -> None:
    heading(out, "Moved for it")
    lines = table("", ">amount", "from (debit)", "to (credit)", "what", "when (UTC)", "by", "why")
    for one in details:
        lines.add_row(
            " ", money(one.amount, one.currency), one.debit, one.credit, one.kind.replace("_", " "), moment(one.at),
            plain(one.author), plain(one.reason),
        )  # fmt: skip
    out.print(lines, "")


def _show_entry(entry: EntryLife, out: Console) -> None:
    heading(out, f"Entry {entry.id} ({entry.kind}, {moment(entry.at)}): the batch that the charge was in")
    lines = table("", ">amount", "from (debit)", "to (credit)", ">month")
    for posting in entry.postings:
        lines.add_row(
            " ", money(posting.amount, posting.currency), posting.debit, posting.credit, str(posting.month or "")
        )
    out.print(lines, "")


def show_lines(
    words: str, lines: Sequence[MessageLine], *, full: bool, with_source: bool = False, out: Console | None = None
) -> None:
    """The list, newest first; `words` say which messages they are."""
    out = out or console()
    if not lines:
        out.print(f"no messages {words}")
        return
    rows = table(
        "id",
        "accepted (UTC)",
        *(("operator", "from") if with_source else ()),
        "to",
        "service",
        ">price",
        "charge",
        "callback",
        "reply",
        "text",
        title=f"Messages {words}, newest first",
    )
    for line in lines:
        service = f"{plain(line.partner)}/{plain(line.service)}" if line.service else "—"
        source = (plain(line.operator), number(line.source, full=full)) if with_source else ()
        rows.add_row(
            str(line.id), moment(line.accepted_at)[:19], *source, plain(line.short_code), service,
            "—" if line.reason == NO_TARIFF else money(line.price, line.currency),
            line.reason or ("held" if line.held else "posted"),
            coloured(line.callback or "—"), coloured(line.reply_state or "—"), Text(plain(line.text, 40)),
        )  # fmt: skip
    out.print(rows)


def show_held(holds: Holds, rules: Mapping[str, str], *, full: bool, out: Console | None = None) -> None:
    """What fraud withholds, newest first; `rules` names the limits by their sentences."""
    out = out or console()
    if not holds.count:
        out.print("nothing is held that nobody has decided")
        return
    rows = table(
        "id", "accepted (UTC)", "operator", "from", "to", "service", ">price", ">held", "rule", "because",
        title="Held by fraud and not decided, newest first",
    )  # fmt: skip
    for line in holds.lines:
        rows.add_row(
            str(line.id), moment(line.accepted_at)[:19], plain(line.operator), number(line.source, full=full),
            plain(line.short_code), f"{plain(line.partner)}/{plain(line.service)}", money(line.price, line.currency),
            money(line.held, line.currency), rules.get(line.why, "—"), plain(line.why),
        )  # fmt: skip
    out.print(rows)
    amounts = ", ".join(money(amount, currency) for currency, amount in sorted(holds.amounts.items()))
    shown = f", {len(holds.lines)} of them shown: see --limit" if len(holds.lines) < holds.count else ""
    out.print(f"{holds.count} messages hold {amounts}{shown}.")
    out.print("Decide with: tollbridge act release, act refuse-hold or act charge-back, and the ids.", style="dim")


def _fact(out: Console, name: str, what: str) -> None:
    line = Text("  ")
    line.append(f"{name:<10} ", style="dim")
    line.append(what)
    out.print(line)
