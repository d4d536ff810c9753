"""The picture on a terminal: made for 80 × 24, with more messages and reasons where there is room.

draw   Picture, Stage and size → what rich shows

Rule: it has exactly as many lines as the terminal, so nothing jumps; what others wrote goes through `plain`.
"""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.clock import SECOND_MS
from core.money import format_micros
from core.msisdn import mask
from tollbridge.demo.cast import LOGINS, PARTNERS
from tollbridge.demo.picture import LedgerLine, LinkLine, PartnerLine, Picture, RecentLine
from tollbridge.demo.stage import Stage
from tollbridge.show import coloured, moment, plain, rounded

WIDE = 110
TALL = 32
USUAL = 24


def draw(picture: Picture, stage: Stage, width: int, height: int) -> RenderableType:
    """The whole screen."""
    tall, wide = height >= TALL, width >= WIDE
    top: list[RenderableType] = [_title(picture, width), _rates(picture), _dialogue(picture)]
    middle = _side_by_side(_links(picture.links), _partners(picture.partners, wide=wide))
    rows = max(len(picture.links), len(picture.partners)) + 1
    ledger = [_ledger(line) for line in picture.rows.ledger] or [Text(" nothing is booked yet", style="dim")]
    foot = _foot(picture, stage, roomy=height >= USUAL, tall=tall)
    gap = [Text()] if tall else []
    refused = _refused(picture, 6 if tall else 3)
    used = len(top) + rows + 1 + len(refused) + len(ledger) + len(foot) + 3 * len(gap)
    recent = _recent(picture.rows.recent, max(0, height - used - 1), wide=wide)
    body = [*top, middle, Text(), *refused, *gap, *ledger, *gap, recent, *gap, *foot]
    return Group(*(_one_line(part) if isinstance(part, Text) else part for part in body))


def _one_line(text: Text) -> Text:
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def clock_of(seconds: float) -> str:
    """`1:02:03`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _title(picture: Picture, width: int) -> Text:
    left = Text(" Tollbridge demo", style="bold white on blue")
    left.append(f"   {clock_of(picture.seconds)}", style="not bold")
    right = f"CPU {picture.cpu:.0%}   Ctrl-C ends "
    left.append(" " * max(1, width - left.cell_len - len(right)) + right, style="not bold")
    return left


def _rates(picture: Picture) -> Text:
    text = Text(" MO ")
    text.append(f"{picture.mo_rate:.1f}/s", style="bold green").append(f" {picture.mo}", style="dim")
    text.append("  replies ").append(f"{picture.reply_rate:.1f}/s", style="bold green")
    text.append(f" {picture.replies}", style="dim").append("  p50/p99: answer ").append_text(_ms(picture.answer_ms))
    return text.append(", reply ").append_text(_ms(picture.reply_ms))


def _dialogue(picture: Picture) -> Text:
    text = Text(" USSD ")
    return text.append(plain(picture.dialogue) or "nobody has dialled yet", style="cyan" if picture.dialogue else "dim")


def _ms(pair: tuple[int, int]) -> Text:
    words = [f"{value / SECOND_MS:.1f} s" if value >= SECOND_MS else f"{value} ms" for value in pair]
    return Text("/".join(words), style="bold green")


def _side_by_side(left: Table, right: Table) -> Table:
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_row(left, right)
    return grid


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.lstrip(">"), justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    return table


def _links(links: Sequence[LinkLine]) -> Table:
    table = _table(" Link", "", ">MO/s", ">MT/s")
    for link in links:
        table.add_row(f" {link.name}", coloured(link.state), f"{link.mo_rate:.1f}", f"{link.mt_rate:.1f}")
    return table


def _partners(partners: Sequence[PartnerLine], *, wide: bool) -> Table:
    table = _table("Partner", "its server", *([">calls"] if wide else []), ">waits", ">RUB", ">KZT")
    for partner in partners:
        waits = Text(str(partner.waiting), style="yellow" if partner.waiting else "dim")
        table.add_row(
            partner.login, Text(partner.manner, style="dim"), *([str(partner.calls)] if wide else []), waits,
            rounded(partner.earned.get("RUB", 0)), rounded(partner.earned.get("KZT", 0)),
        )  # fmt: skip
    return table


def _refused(picture: Picture, most: int) -> list[Text]:
    rows = picture.rows
    refused = list(rows.refused.items())
    head = Text(" Refused or unmatched", style="bold")
    notes = [f"{sum(rows.refused.values())} in all", f"{rows.repeats} redeliveries recognised, not charged twice"]
    lines = [head.append("   " + "; ".join(notes), style="dim not bold")]
    shown = refused if len(refused) <= most else refused[: most - 1]
    lines += [Text(f" {count:6d}  ").append(plain(why), style="magenta") for why, count in shown]
    if len(refused) > most:
        rest = sum(count for _, count in refused[most - 1 :])
        lines.append(Text(f" {rest:6d}  for {len(refused) - most + 1} other reasons", style="dim"))
    return lines + [Text()] * (most + 1 - len(lines))


def _ledger(line: LedgerLine) -> Text:
    text = Text(" ")
    text.append("✓ " if line.balances else "✗ ", style="bold green" if line.balances else "bold red")
    text.append(line.currency, style="bold").append(f"  owed {format_micros(line.operators)}", style="cyan")
    text.append(f" = partners {format_micros(line.partners)}").append(f" + unclaimed {format_micros(line.suspense)}")
    return text.append(f" + ours {format_micros(line.ours)}", style="green")


def _recent(recent: Sequence[RecentLine], count: int, *, wide: bool) -> Table:
    table = _table(" Message", "from", "to", "text", "service", ">price", "reply")
    table.columns[3].ratio = 1
    table.expand = True
    for line in recent[:count]:
        text = plain(line.text) + (f" ({line.parts} parts)" if line.parts > 1 and wide else "")
        table.add_row(
            f" {moment(line.at)[11:19]}", mask(line.source), plain(line.short_code), Text(text), line.where,
            f"{rounded(line.price)} {line.currency}".rstrip(), coloured(line.fate),
        )  # fmt: skip
    for _ in range(count - len(recent)):
        table.add_row(" ")
    return table


def _foot(picture: Picture, stage: Stage, *, roomy: bool, tall: bool) -> list[Text]:
    partner = PARTNERS[0]
    auth = f"curl -u {partner.login}:{partner.key}"
    lines = [_label("API", f"{stage.api}/health  /metrics  /v1    portal: comes later")]
    if roomy:
        lines.append(_label("logins", LOGINS))
    lines.append(_label("try", f"{auth} {stage.api}/v1/balance"))
    own = next((line for line in picture.rows.recent if line.where == f"{partner.login}/{partner.service}"), None)
    if tall:
        lines.append(_label("", f"{auth} {stage.api}/v1/messages/{own.id}" if own else ""))
    lines.append(_label("", stage.command("status")))
    if tall:
        shown = picture.rows.recent[0].id if picture.rows.recent else "ID"
        lines.append(_label("", stage.command(f"message {shown}")))
        lines.append(_label("", stage.command("report partners")))
        lines.append(_label("log", str(stage.folder / "tollbridge.log")))
    return lines


def _label(name: str, text: str) -> Text:
    return Text(f" {name:<7}", style="bold").append(text, style="not bold")
