"""A load under way: the sheets, what is wrong, what was done, and its audit log.

Draft     all of it; `hash` and `encrypt` keep what already matches
Record    one element of the file: puts its rows, remembers before and after, counts itself when it is closed
settle    the versions of a thing → rows, by versions.place

Rule: secrets and their hashes never reach the audit log: it says that they changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from core.clock import Instant, Month, datetime_of, iso_of, month_of, month_text, next_month
from core.money import format_micros
from store import secrets
from store.provisioning.checks import Mistake
from store.provisioning.lines import Path
from store.provisioning.report import Counts, Outcome, Report
from store.provisioning.sheets import REFERENCES, Key, Row, Sheet, Stored
from store.provisioning.versions import Begun, Move, Step, place
from store.secrets import Keyring

WantedRow: TypeAlias = tuple[Instant | None, Row, Path]
"""(valid_from, the columns that it says, where it stands in the file)."""

Hashes: TypeAlias = dict[tuple[str, str, str], str]
"""(whose and which, the stored hash, the password) → the hash to keep."""

_SECRETS = frozenset(("password", "secret", "password_hash", "api_key_hash", "smpp_password_hash"))
_HIDDEN = frozenset(("id", "folded", "registered_at", "text"))
_DECIMALS = frozenset(("price", "payout_fixed", "credit_limit", "cap", "payout", "rate", "vat"))
_MOMENTS = frozenset(("valid_from", "until", "registered_at"))


@dataclass
class Draft:
    """What a load changes, in memory. `hashes`: what was hashed before the transaction began."""

    stored: Stored
    now: Instant
    keyring: Keyring
    closed: Month = 0
    """The last month that is closed: nothing new may begin in it or before."""
    hashes: Hashes = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    audit: list[tuple[str, str, Row | None, Row | None]] = field(default_factory=list)
    paths: dict[tuple[str, Key], Path] = field(default_factory=dict)
    """Where the versions that this load writes stand in the file, by table and key."""
    names: dict[str, dict[int, str]] = field(default_factory=dict)
    api_keys: dict[str, str] = field(default_factory=dict)
    """Whose each hash of an API key is."""

    def hash(self, owner: str, stored: str, password: str) -> str:
        """The stored hash when it is of this password, else a new one."""
        known = self.hashes.get((owner, stored, password))
        return known if known is not None else secrets.hash_unless_same(stored, password)

    def encrypt(self, stored: str, secret: str) -> str:
        """The stored token when it holds this secret, else a new one."""
        return self.keyring.encrypt_unless_same(stored, secret)

    def recrypt(self, stored: str, token: str, path: Path) -> str:
        """A token out of a dump; the stored one when both hold the same."""
        if not self.keyring.is_readable(token):
            self.mistakes.append((path, "was encrypted with another security.key; give the secret itself instead"))
            return stored
        return self.keyring.encrypt_unless_same(stored, self.keyring.decrypt(token)) if stored else token

    def name_of(self, kind: str, number: int) -> str:
        """The name of what a row refers to."""
        names = self.names.setdefault(kind, {})
        if number not in names:
            names.update((row["id"], str(key[-1])) for key, row in self.stored.sheets()[kind].rows.items())
        return names[number]

    def note(self, sentence: str) -> None:
        """Something that the person should know."""
        self.report.notes.append(sentence)

    @contextmanager
    def element(self, kind: str, key: str, path: Path) -> Iterator["Record"]:
        """One element of the file, counted and logged when it is done."""
        record = Record(self, kind, path)
        yield record
        self.close(record, key)

    def close(self, record: "Record", key: str) -> None:
        """Count an element and log what was done to it."""
        kind = record.kind
        self.report.counts.setdefault(kind, Counts()).count(record.outcome)
        if record.outcome is not Outcome.UNCHANGED:
            is_new = record.outcome is Outcome.ADDED
            self.audit.append((kind, key[:200], None if is_new else record.before, record.after))


@dataclass
class Record:
    """One element of the file."""

    draft: Draft
    kind: str
    path: Path
    outcome: Outcome = Outcome.UNCHANGED
    before: Row = field(default_factory=dict)
    after: Row = field(default_factory=dict)

    def put(self, sheet: Sheet, values: Row, given: Mapping[str, bool]) -> Row:
        """The element's own row. Of a row that is there, only the columns that are `given` (or not in it) change."""
        key = tuple(values[name] for name in sheet.key)
        row = sheet.rows.get(key)
        if row is None:
            self.outcome = Outcome.ADDED
            self.after.update(self._words(values))
            return sheet.add(values)
        changes = {
            column: value for column, value in values.items() if row[column] != value and given.get(column, True)
        }
        if changes:
            self.tell("", {column: row[column] for column in changes}, changes)
            sheet.change(row, changes)
        return row

    def tell(self, label: str, before: Row | None, after: Row | None) -> None:
        """A change for the audit log, under a label of its own or among the element's columns."""
        if self.outcome is Outcome.UNCHANGED:
            self.outcome = Outcome.CHANGED
        for told, values in ((self.before, before), (self.after, after)):
            if values is not None:
                if label:
                    told[label] = self._words(values)
                else:
                    told.update(self._words(values))

    def _words(self, values: Row) -> Row:
        return {column: self._word(column, value) for column, value in values.items() if column not in _HIDDEN}

    def _word(self, column: str, value: Any) -> Any:
        if column in _SECRETS:
            return "(set)" if value else "(none)"
        if value is None:
            return None
        if column in _DECIMALS:
            return format_micros(value)
        if column in _MOMENTS:
            return iso_of(value) if value else ""
        if column in REFERENCES:
            return self.draft.name_of(REFERENCES[column], value)
        return value


def day_text(instant: Instant, zone: str = "UTC") -> str:
    """A midnight in the zone as its day, any other moment in UTC: both are read back as the same."""
    local = datetime_of(instant).astimezone(ZoneInfo(zone) if zone != "UTC" else UTC)
    is_midnight = not (local.hour or local.minute or local.second or local.microsecond)
    return local.date().isoformat() if is_midnight else iso_of(instant)


def settle(
    record: Record,
    sheet: Sheet,
    existing: Mapping[Instant, Row],
    wanted: Sequence[WantedRow],
    parent: Row,
    *,
    target: Instant,
    tell: Callable[[Move, Instant], None],
    zone_of: Callable[[Row], str] = lambda content: str(content.get("time_zone", "UTC")),
) -> None:
    """Make the versions of one thing as wanted; `parent` is the rest of their key. `tell` hears of each step after
    the first version. `zone_of` a version is that of its months."""
    draft = record.draft
    if not wanted:
        return
    columns = tuple(wanted[0][1])
    contents = {moment: {column: row[column] for column in columns} for moment, row in existing.items()}
    try:
        steps = place(contents, [(moment, content) for moment, content, _ in wanted], now=draft.now, target=target)
    except Begun as error:
        moment, content, path = wanted[error.index]
        before = contents.get(moment) if moment is not None else None
        wrong = next((column for column in columns if before and before[column] != content[column]), "valid_from")
        draft.mistakes.append(((*path, wrong.removesuffix("_id")), str(error)))
        return
    for step in steps:
        if step.move is Move.ADD and _begins_in_a_closed_month(draft, step, zone_of(step.content)):
            first_open = month_text(next_month(draft.closed))
            why = f"{month_text(draft.closed)} is closed; let it begin on {first_open}-01 or later"
            draft.mistakes.append(((*wanted[step.index][2], "valid_from"), why))
            return
        label = f"from {iso_of(step.valid_from)}" if step.valid_from else "from ever"
        before = existing.get(step.valid_from)
        after = {**parent, "valid_from": step.valid_from, **step.content}
        if before is not None:
            sheet.drop(tuple(before[name] for name in sheet.key))
        if step.move is Move.DROP:
            record.tell(label, {column: contents[step.valid_from][column] for column in columns}, None)
        else:
            sheet.add(after)
            draft.paths[sheet.table.__tablename__, tuple(after[name] for name in sheet.key)] = wanted[step.index][2]
            record.tell(label, contents.get(step.valid_from), step.content)
        if existing:
            tell(step.move, step.valid_from)


def _begins_in_a_closed_month(draft: Draft, step: Step[Row], zone: str) -> bool:
    """By the months of its zone: the first open one begins at midnight there."""
    if not 0 < step.valid_from <= draft.now:
        # From ever begins in no month; what waited for it in a closed one is booked into the first open one.
        return False
    return month_of(step.valid_from, zone) <= draft.closed
