"""Which row of an operator's file belongs to which message of ours (billing.md, section 10).

match_key    the rows of one message id → what each is, and what is left of the message
match_group  the rows of one number that no id found: by time and price, then by time alone; the rest stays alone
pair         times here and there → who belongs to whom: as many as possible, then as near as possible

An operator that counts the parts of long messages may list each in a row of its own: such rows belong to slices of the
message, when each has the price of a slice.

Rule: no row and no slice is used twice; a second row about the same message is a duplicate, never another one's.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.clock import Instant
from core.settlement.judging import Judgement, Ours, Rules, TermsOf, asked
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict

_CELLS_MAX = 250_000
"""What pairing one cluster exactly may cost; a larger one is paired by who comes first."""

Alike: TypeAlias = tuple[str, Instant, int, int]


def alike(row: FileRow) -> Alike:
    """What two rows without ids have in common when they are the same message, listed twice."""
    return row.short_code, row.at, row.count, row.amount


@dataclass(frozen=True, slots=True)
class Keyed:
    """The rows of one message id, judged in their order, and the slices that none of them is about."""

    judgements: list[Judgement]
    left: list[Ours]


def match_key(rows: Sequence[FileRow], ours: Ours, rules: Rules, *, elsewhere: bool = False) -> Keyed:
    """The rows that name this message's id. `elsewhere`: another file of the operator has it already."""
    slices = ours.slices() if ours.units > 1 and ours.owed else []
    whole = None if elsewhere else ours
    used = 0
    is_refused = False
    found = []
    for row in rows:
        if row.refused and not is_refused:
            found.append(rules.judge(row, ours))
            is_refused = True
        elif not row.refused and whole is not None and not used and _covers_all(row, ours, rules):
            found.append(rules.judge(row, whole))
            whole = None
        elif not row.refused and whole is not None and used < len(slices) and _is_one(row, slices[used], rules):
            found.append(rules.judge(row, slices[used]))
            used += 1
        else:
            found.append(Judgement(Verdict.DUPLICATE_THERE, ours.id))
    return Keyed(found, slices[used:] if used else [])


def _covers_all(row: FileRow, ours: Ours, rules: Rules) -> bool:
    """Whether a row is about the whole message: not where it has the price of one of its SMS."""
    if ours.units == 1 or not ours.owed or _is_one(row, ours, rules):
        return True
    return not _is_one(row, ours.slices()[0], rules)


def _is_one(row: FileRow, one: Ours, rules: Rules) -> bool:
    return rules.same(asked(row), one.price, row.count)


def match_group(
    rows: Sequence[FileRow],
    ours: Sequence[Ours],
    rules: Rules,
    terms_of: TermsOf,
    *,
    taken: Sequence[Ours] = (),
    elsewhere: Sequence[Ours] = (),
    listed: Mapping[Alike, int] = {},
) -> list[Judgement]:
    """Rows of one number that no id has found, against its messages, slices of some among them.

    `taken` are messages that other rows of this file are about, `listed` those rows; `elsewhere` messages that another
    file has already.
    """
    group = _Group(rows, rules)
    group.bundle(ours)
    left = [one for one in ours if one.id not in group.bundled]
    for refused in (False, True):
        left = group.tier(left, lambda row, one: _is_one(row, one, rules), refused=refused)
        if not refused:
            left = group.slices(left)
        whole = group.tier([one for one in left if not one.is_slice], lambda row, one: True, refused=refused)
        left = [*whole, *(one for one in left if one.is_slice)]
    group.take_back(elsewhere)
    group.take_back([*taken, *ours], paid_before=True)
    group.repeat(listed, elsewhere)
    return group.rest(terms_of)


class _Group:
    """The judgements of a group's rows as they are found."""

    def __init__(self, rows: Sequence[FileRow], rules: Rules) -> None:
        self._rows = rows
        self._rules = rules
        self._found: list[Judgement | None] = [None] * len(rows)
        self._listed: dict[Alike, int] = {}
        self.bundled: set[int] = set()

    def _open(self, *, refused: bool) -> Iterator[int]:
        return (i for i, row in enumerate(self._rows) if self._found[i] is None and row.refused == refused)

    def _give(self, i: int, one: Ours) -> None:
        self._found[i] = self._rules.judge(self._rows[i], one)
        if not self._rows[i].refused:
            self._listed[alike(self._rows[i])] = one.id

    def bundle(self, ours: Sequence[Ours]) -> None:
        """Rows of one id are one message: the slices of a long one, or the first of them and duplicates."""
        by_key: dict[str, list[int]] = defaultdict(list)
        for i in self._open(refused=False):
            if self._rows[i].key:
                by_key[self._rows[i].key].append(i)
        for some in by_key.values():
            if len(some) > 1:
                self._bundle(some, ours)

    def _bundle(self, some: list[int], ours: Sequence[Ours]) -> None:
        first = self._rows[some[0]]
        for one in ours:
            slices = one.slices() if one.units >= len(some) and one.id not in self.bundled else []
            near = one.short_code == first.short_code and abs(one.at - first.at) <= self._rules.window_ms
            if slices and near and _is_one(first, slices[0], self._rules):
                self.bundled.add(one.id)
                for i, piece in zip(some, slices, strict=False):
                    self._give(i, piece)
                return
        for i in some[1:]:
            self._found[i] = Judgement(Verdict.DUPLICATE_THERE)

    def tier(self, ours: list[Ours], fits: Callable[[FileRow, Ours], bool], *, refused: bool) -> list[Ours]:
        """Pair what fits by time; what is left of ours."""
        classes: dict[tuple[str, int, int], list[int]] = defaultdict(list)
        for i in self._open(refused=refused):
            row = self._rows[i]
            classes[row.short_code, asked(row), row.count].append(i)
        left = ours
        for (short_code, _, _), some in sorted(classes.items()):
            sample = self._rows[some[0]]
            candidates = [one for one in left if one.short_code == short_code and fits(sample, one)]
            used = set()
            for a, b in pair([self._rows[i].at for i in some], [one.at for one in candidates], self._rules.window_ms):
                self._give(some[a], candidates[b])
                used.add(id(candidates[b]))
            left = [one for one in left if id(one) not in used]
        return left

    def slices(self, ours: list[Ours]) -> list[Ours]:
        """Rows with the price of one SMS of a long message. A message of which none is found stays whole."""
        pieces = [piece for one in ours for piece in (one.slices() if one.units > 1 else [one] * one.is_slice)]
        if not pieces:
            return ours
        left = self.tier(pieces, lambda row, one: _is_one(row, one, self._rules), refused=False)
        of = {one.id: one for one in ours if not one.is_slice}
        kept = [one for one in ours if not one.is_slice and one.units == 1]
        by_id: dict[int, list[Ours]] = defaultdict(list)
        for piece in left:
            by_id[piece.id].append(piece)
        for id_, some in by_id.items():
            whole = of.get(id_)
            kept += [whole] if whole is not None and len(some) == whole.units else some
        return kept

    def take_back(self, ours: Sequence[Ours], *, paid_before: bool = False) -> None:
        """What another file pays is refused now; or, with an amount below zero, what this one pays."""
        some = [i for i in self._open(refused=True) if self._rows[i].amount < 0 or not paid_before]
        for short_code in sorted({self._rows[i].short_code for i in some}):
            rows = [i for i in some if self._rows[i].short_code == short_code]
            there = [one for one in ours if one.short_code == short_code and not one.is_slice]
            for a, b in pair([self._rows[i].at for i in rows], [one.at for one in there], self._rules.window_ms):
                self._give(rows[a], there[b])

    def repeat(self, listed: Mapping[Alike, int], elsewhere: Sequence[Ours]) -> None:
        """The same line as another one's, or a message that another file has."""
        known = {**listed, **self._listed}
        for i in self._open(refused=False):
            row = self._rows[i]
            if alike(row) in known and not row.key:
                self._found[i] = Judgement(Verdict.DUPLICATE_THERE, known[alike(row)])
        for short_code in sorted({one.short_code for one in elsewhere}):
            rows = [i for i in self._open(refused=False) if self._rows[i].short_code == short_code]
            there = [one for one in elsewhere if one.short_code == short_code]
            for a, b in pair([self._rows[i].at for i in rows], [one.at for one in there], self._rules.window_ms):
                self._found[rows[a]] = Judgement(Verdict.DUPLICATE_THERE, there[b].id)

    def rest(self, terms_of: TermsOf) -> list[Judgement]:
        """All of them; what nobody found is missing here."""
        return [
            found if found is not None else self._rules.judge_alone(row, terms_of(row))
            for row, found in zip(self._rows, self._found, strict=True)
        ]


def pair(theirs: Sequence[Instant], ours: Sequence[Instant], window_ms: int) -> list[tuple[int, int]]:
    """Places in both that belong together: within the window, as many as possible, then as near as possible."""
    if len(theirs) == 1 and len(ours) == 1:  # nearly always
        return [(0, 0)] if abs(theirs[0] - ours[0]) <= window_ms else []
    a = sorted(range(len(theirs)), key=theirs.__getitem__)
    b = sorted(range(len(ours)), key=ours.__getitem__)
    found: list[tuple[int, int]] = []
    for some, there in _clusters([theirs[i] for i in a], [ours[j] for j in b], window_ms):
        exact = len(some) * len(there) <= _CELLS_MAX
        pairs = (_nearest if exact else _first)(
            [theirs[a[i]] for i in some], [ours[b[j]] for j in there], window_ms
        )  # fmt: skip
        found += [(a[some[i]], b[there[j]]) for i, j in pairs]
    return found


def _clusters(theirs: Sequence[Instant], ours: Sequence[Instant], window_ms: int) -> Iterator[tuple[range, range]]:
    """Stretches with gaps between them across which nothing can be paired."""
    if not theirs or not ours:
        return
    moments = sorted({*theirs, *ours})
    start = moments[0]
    for before, after in zip(moments, [*moments[1:], None]):
        if after is None or after - before > window_ms:
            some = range(bisect_left(theirs, start), bisect_left(theirs, before + 1))
            there = range(bisect_left(ours, start), bisect_left(ours, before + 1))
            if some and there:
                yield some, there
            start = before if after is None else after


def _nearest(theirs: Sequence[Instant], ours: Sequence[Instant], window_ms: int) -> list[tuple[int, int]]:
    """Exactly: the best pairing crosses nowhere, so the best of the first i and j follows from shorter ones."""
    n, m = len(theirs), len(ours)
    # (pairs, −distance) of what lies behind (i, j).
    best = [[(0, 0)] * (m + 1) for _ in range(n + 1)]
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            best[i][j] = max(best[i + 1][j], best[i][j + 1])
            distance = abs(theirs[i] - ours[j])
            if distance <= window_ms:
                pairs, near = best[i + 1][j + 1]
                best[i][j] = max(best[i][j], (pairs + 1, near - distance))
    found = []
    i = j = 0
    while i < n and j < m:
        pairs, near = best[i + 1][j + 1]
        distance = abs(theirs[i] - ours[j])
        if distance <= window_ms and best[i][j] == (pairs + 1, near - distance):
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _first(theirs: Sequence[Instant], ours: Sequence[Instant], window_ms: int) -> list[tuple[int, int]]:
    """As many as possible, each with the first that is left: for crowds, in which nearness says nothing."""
    found = []
    j = 0
    for i, at in enumerate(theirs):
        while j < len(ours) and ours[j] < at - window_ms:
            j += 1
        if j < len(ours) and ours[j] <= at + window_ms:
            found.append((i, j))
            j += 1
    return found
