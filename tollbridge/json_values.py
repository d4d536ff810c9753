"""What commands print with --json.

print_json       a value on stdout
in_major_units   a value with its parts, amounts as decimal strings: 2500000 → "2.50"
AMOUNTS          the names under which micros stand

Rule: an amount is never a number in JSON: many readers know numbers with 53 bits only, and nobody says of what unit.
"""

import json
from typing import Any

import click

from core.money import format_micros

AMOUNTS = frozenset({
    # Of a charge, a posting, a detail, an act.
    "amount", "price", "vat", "operator_part", "partner_part", "referral_part", "ours", "suspense", "base",
    "volume_before", "referral_before", "held",
    # Of a conversion.
    "came",
    # Of a month that is rated again.
    "operator", "revenue", "volume", "partner", "referral", "outgoing",
})  # fmt: skip
"""What is a word there (`operator`: its code) or true (`held`: a charge's mark) stays as it is."""


def in_major_units(value: Any, name: str = "") -> Any:
    """Amounts by their names, however deep they stand; everything else as it is."""
    if isinstance(value, dict):
        return {key: in_major_units(one, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [in_major_units(one, name) for one in value]
    is_amount = name in AMOUNTS and isinstance(value, int) and not isinstance(value, bool)
    return format_micros(value) if is_amount else value


def print_json(value: Any) -> None:
    """Indented, letters as they are."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
