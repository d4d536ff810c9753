"""How operators write subscribers' numbers, and how we do: international, digits only.

NumberPlan     how a country writes its numbers; core.msisdn.plan_of makes one
international  any way to write a subscriber's number, by a plan → ours
read_rules     "8>7, 9+10>79" → Rewrites; raises BadRules
Numbers        one link's inbound (the operator's writing → ours) and outbound (ours → the operator's)
numbers_of     its options → Numbers

A rule is FROM>TO: a number that begins with FROM begins with TO instead. FROM+LENGTH>TO: only one of so many digits in
all. The first rule that fits decides alone; where none does, the form does.

Rule: inbound() and outbound() never raise, whatever a peer wrote; what is no subscriber's number (a name, a short
number) stays as it is. Nothing here looks at phonenumbers: a message pays for dictionaries and slices only.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

Rewriting: TypeAlias = Callable[[str], str]
Shape: TypeAlias = tuple[str, int, str]
"""(what it begins with, how many digits fall off, what comes before the rest)."""

NUMBER_FORMS = ("international", "national", "as_is")
"""How a link's numbers come: with the country's code; in any way that its country knows; nothing is touched."""
DESTINATION_FORMS = ("international", "plus", "exit", "national", "trunk")
"""How they go out, for RU: 79001112233, +79001112233, 81079001112233, 9001112233, 89001112233."""

SHORT_MAX = 6
"""So many digits are a service's, not a subscriber's."""
NUMBER_MAX = 20
"""Of an address: what is longer has no room in our tables, nor in SMPP."""
_ABROAD_MIN, _ABROAD_MAX = 7, 15
_RULES_MAX = 20
_RULE = re.compile(r"([0-9]{0,15})(?:\+([0-9]{1,2}))?>(\+?[0-9]{0,15})")


@dataclass(frozen=True)
class NumberPlan:
    """How a country writes its subscribers' numbers.

    `lengths`: of a national number, without trunk prefix. Of `trunks` and `exits` the first one is what we write.
    `pattern` is a regular expression of national numbers: asked only where the lengths leave a doubt.
    """

    calling_code: str
    lengths: frozenset[int]
    trunks: tuple[str, ...] = ()
    exits: tuple[str, ...] = ("00",)
    pattern: str = ""

    def national(self, digits: str) -> str:
        """The national number in an international one of this country; "" where it is none."""
        code = self.calling_code
        return digits[len(code) :] if digits.startswith(code) and len(digits) - len(code) in self.lengths else ""

    @cached_property
    def shapes(self) -> dict[int, tuple[Shape, ...]]:
        """How a text of so many digits may be read: the table that a message pays for."""
        code = self.calling_code
        table: dict[int, tuple[Shape, ...]] = {}
        for digits in range(1, NUMBER_MAX + 1):
            shapes: list[Shape] = [(code, 0, "")] if digits - len(code) in self.lengths else []
            shapes += [(one, len(one), "") for one in self.exits if _ABROAD_MIN <= digits - len(one) <= _ABROAD_MAX]
            shapes += [(one, len(one), code) for one in self.trunks if digits - len(one) in self.lengths]
            shapes += [("", 0, code)] if digits in self.lengths else []
            table[digits] = tuple(shapes)
        return table


def international(plan: NumberPlan, text: str) -> str:
    """Digits in any form that the plan's country knows → international; what fits no form stays as it is."""
    first = ""
    for begins, cut, code in plan.shapes.get(len(text), ()):
        if text.startswith(begins):
            number = code + text[cut:]
            if first:
                return _likeliest(plan, text)
            if number[0] != "0":
                first = number
    return first or text


def _likeliest(plan: NumberPlan, text: str) -> str:
    """Of several ways to read it the first that gives a number of the country by its pattern, else the first."""
    read = [code + text[cut:] for begins, cut, code in plan.shapes[len(text)] if text.startswith(begins)]
    numbers = [number for number in read if number[0] != "0"]
    return next((one for one in numbers if re.fullmatch(plan.pattern, plan.national(one))), numbers[0])


class BadRules(ValueError):
    """What is wrong with a text of rules, as a sentence."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What begins with `begins` begins with `becomes`. `length` 0: of any subscriber's number."""

    begins: str
    length: int
    becomes: str

    def fits(self, number: str) -> bool:
        """Whether the number is one of this rule's."""
        measured = len(number) == self.length if self.length else len(number) > SHORT_MAX
        return measured and number.startswith(self.begins)


def read_rules(text: str, *, outbound: bool = False) -> tuple[Rewrite, ...]:
    """Rules with commas or spaces between them. Only an outbound one may write a +. Raises BadRules."""
    words = text.replace(",", " ").split()
    if len(words) > _RULES_MAX:
        raise BadRules(f"has more than {_RULES_MAX} rules; take some out")
    rules: list[Rewrite] = []
    for word in words:
        rule = _read_rule(word, outbound=outbound)
        if any((one.begins, one.length) == (rule.begins, rule.length) for one in rules):
            raise BadRules(f"has two rules for {word.partition('>')[0] or 'any number'}; keep one")
        rules.append(rule)
    return tuple(rules)


def _read_rule(word: str, *, outbound: bool) -> Rewrite:
    read = _RULE.fullmatch(word)
    if read is None:
        raise BadRules(
            f'"{word[:40]}" is no rule; write FROM>TO like 8>7, or FROM+LENGTH>TO like 9+10>79 (ten digits in all)'
        )
    begins, becomes = read[1], read[3]
    length = int(read[2] or 0)
    if read[2] and not max(1, len(begins)) <= length <= NUMBER_MAX:
        raise BadRules(f'"{word}" fits no number: {length} digits in all; write the length of the whole number')
    if not begins and not becomes:
        raise BadRules(f'"{word}" changes nothing; write what a number begins with, or what it shall begin with')
    if becomes.startswith("+") and (not outbound or becomes != "+" + becomes[1:].lstrip("+")):
        raise BadRules(f'"{word}" writes a +, and ours are digits only; leave the + out')
    if length and not 0 < length - len(begins) + len(becomes) <= NUMBER_MAX:
        raise BadRules(f'"{word}" leaves no number, or one of more than {NUMBER_MAX} digits')
    return Rewrite(begins, length, becomes)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How one link writes numbers. Every protocol uses it in the same way: inbound() for what comes from the operator
    (the sender of an MO or a receipt), outbound() for the subscriber to whom an MT goes.
    """

    inbound: Rewriting
    outbound: Rewriting


def numbers_of(
    plan: NumberPlan | None,
    *,
    number_form: str = "international",
    number_rules: str = "",
    destination_form: str = "international",
    destination_rules: str = "",
) -> Numbers:
    """Made once per link. `plan` is that of the operator's country, which only some forms need. Raises BadRules."""
    return Numbers(
        _inbound(_plan_for(number_form, plan), number_form, read_rules(number_rules)),
        _outbound(_plan_for(destination_form, plan), destination_form, read_rules(destination_rules, outbound=True)),
    )


def needs_plan(form: str) -> bool:
    """Whether the form is one of a country's."""
    return form in {"national", "trunk", "exit"}


def _plan_for(form: str, plan: NumberPlan | None) -> NumberPlan | None:
    assert form in NUMBER_FORMS + DESTINATION_FORMS, form
    if needs_plan(form):
        if plan is None:
            raise BadRules(f"the form {form} needs a country whose numbers are known; write rules instead")
        return plan
    return None


def _inbound(plan: NumberPlan | None, form: str, rules: Sequence[Rewrite]) -> Rewriting:
    if not rules and plan is None:
        return _unchanged if form == "as_is" else _without_plus

    def inbound(text: str) -> str:
        if not (text.isascii() and text.isdigit()):
            return text if form == "as_is" else _without_plus(text)
        for rule in rules:
            if rule.fits(text):
                return _rewritten(rule, text)
        return international(plan, text) if plan is not None else text

    return inbound


def _outbound(plan: NumberPlan | None, form: str, rules: Sequence[Rewrite]) -> Rewriting:
    if not rules and form == "international":
        return _unchanged

    def outbound(digits: str) -> str:
        if not (digits.isascii() and digits.isdigit()):
            return digits
        for rule in rules:
            if rule.fits(digits):
                return _rewritten(rule, digits)
        if not SHORT_MAX < len(digits) <= _ABROAD_MAX:
            return digits
        if plan is not None:
            return _written(plan, form, digits)
        return "+" + digits if form == "plus" else digits

    return outbound


def _written(plan: NumberPlan, form: str, digits: str) -> str:
    """The number in the form of its country, and always so that it is read back as the same number: one of another
    country that looks like a national one goes with the exit prefix.
    """
    abroad = plan.exits[0] + digits
    if form == "exit":
        return abroad
    national = plan.national(digits)
    if national:
        wanted = plan.trunks[0] + national if form == "trunk" and plan.trunks else national
        if international(plan, wanted) == digits:
            return wanted
    return digits if international(plan, digits) == digits else abroad


def _rewritten(rule: Rewrite, number: str) -> str:
    changed = rule.becomes + number[len(rule.begins) :]
    return changed if 0 < len(changed) <= NUMBER_MAX else number


def _without_plus(text: str) -> str:
    return text[1:] if text[:1] == "+" else text


def _unchanged(text: str) -> str:
    return text
