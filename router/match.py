"""A text → the service that it is for, and the body behind the prefix.

match   short code + longest prefix at the beginning of the text, on word boundaries → Route or Unrouted

A word ends at anything that is no letter or digit: "GAME 7", "GAME, 7", "GAME-7" and "game" match GAME, "GAMES" does
not. Between the words of a prefix stands white space only: "GAME,TOP" is GAME with the body ",TOP". The body keeps its
letters and its marks ("GAME, 7" → ", 7"): what a partner asked for may begin with one. What matches no prefix goes
to the short code's default, if it has one, with the whole text as body.

Rule: pure, and on the hot path: a text of plain letters costs one regular expression and one look-up.
"""

from core.catalogue import Prefix
from core.message import Missing, Route, Unrouted
from router.fold import SIMPLE, TOKEN, fold, word_ends
from router.table import OnShortCode, Table

_NO_SHORT_CODE = Unrouted(Missing.NO_SHORT_CODE)


def match(table: Table, short_code: str, text: str) -> Route | Unrouted:
    """Who a text on a short code is for."""
    known = table.short_codes.get(short_code)
    if known is None:
        return _NO_SHORT_CODE
    prefix, end = _longest(known, text)
    if prefix is None:
        return known.missing
    return Route(table.services[prefix.service], prefix, text[end:].lstrip())


def _longest(known: OnShortCode, text: str) -> tuple[Prefix | None, int]:
    """The longest prefix that the text begins with, and where it ends in the text."""
    found, end = known.default, 0
    key = ""
    token = TOKEN.match(text)
    while token:
        word = token[1]
        folded = word.lower() if word.isascii() else word.translate(SIMPLE)
        if not key:
            key = folded
        elif token.start() < token.start(1):
            key = f"{key} {folded}"
        else:
            key += folded
        target = known.targets.get(key)
        if target is not None:
            found, end = target, token.end()
        if key not in known.stems or token.end() == len(text):
            return found, end
        token = TOKEN.match(text, token.end())
    return _longest_of_any(known, text)


def _longest_of_any(known: OnShortCode, text: str) -> tuple[Prefix | None, int]:
    """The same for any text: letters of other scripts, composed forms, invisible characters."""
    found, end = known.default, 0
    for position in word_ends(text):
        key = fold(text[:position])
        target = known.targets.get(key)
        if target is not None:
            found, end = target, position
        if key not in known.stems:
            break
    return found, end
