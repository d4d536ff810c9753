"""Daily sums of what was booked before there were any; the same that core/report.py counts as a batch is written.

A day is that of the id of the entry, or of its own where there is none: an id bears milliseconds since 2020 in its
upper bits (core/ids.py). What was summed in between is summed anew.
"""

from django.db import migrations

_AMOUNTS = (
    "price", "vat", "operator_part", "partner_part", "referral_part", "ours", "suspense", "base"
)  # fmt: skip
_PLACE = "currency, operator_id, short_code, service_id, partner_id, kind"
# By position: the two databases differ in what a name means here, a column or what is selected.
_EIGHT = "1, 2, 3, 4, 5, 6, 7, 8"
_DAY = {
    "sqlite": "CAST(strftime('%Y%m%d', day_number * 86400, 'unixepoch') AS INTEGER)",
    "mysql": "CAST(DATE_FORMAT(DATE_ADD('1970-01-01', INTERVAL day_number DAY), '%Y%m%d') AS SIGNED)",
}


def _grouped(vendor: str, place: str, parts: str, source: str) -> str:
    """Charges of a table `c`, by whom they concern; those that are voided do not count, others without amounts."""
    booked = "CASE WHEN c.charge_state = 2 THEN COALESCE(c.entry_id, c.id) ELSE c.id END"
    divide = "/" if vendor == "sqlite" else "DIV"
    number = f"((({booked}) >> 22) + 1577836800000) {divide} 86400000"
    sums = ", ".join(f"SUM(CASE WHEN c.charge_state = 2 THEN c.{name} ELSE 0 END) AS {name}" for name in _AMOUNTS)
    return (
        f"SELECT {number} AS day_number, {place}, c.month AS month, "
        f"COUNT(*) AS messages, SUM({parts}) AS parts, {sums} FROM {source} WHERE c.charge_state <> 3 "
        f"GROUP BY {_EIGHT}"
    )


def fill_sums(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    own = _grouped(
        vendor,
        "c.currency AS currency, c.operator_id AS operator_id, c.short_code AS short_code, "
        "c.service_id AS service_id, c.partner_id AS partner_id, "
        "CASE WHEN c.charge_state = 0 THEN 0 ELSE 1 END AS kind",
        "c.parts",
        "mo c",
    )
    rest = _grouped(
        vendor,
        "c.currency AS currency, c.operator_id AS operator_id, "
        "COALESCE(mo.short_code, CASE WHEN mt.kind = 2 THEN mt.source ELSE '' END, '') AS short_code, "
        "COALESCE(mo.service_id, 0) AS service_id, c.partner_id AS partner_id, c.kind AS kind",
        "COALESCE(mo.parts, mt.parts, 1)",
        "charge c LEFT JOIN mo ON mo.id = c.message_id LEFT JOIN mt ON mt.id = c.message_id",
    )
    sums = ", ".join(f"SUM({name})" for name in ("messages", "parts", *_AMOUNTS))
    # What has no charge has no month: that of its day.
    days = f"SELECT {_DAY[vendor]} AS day, charged.* FROM ({own} UNION ALL {rest}) AS charged"
    month = f"CASE WHEN kind = 0 THEN {'day / 100' if vendor == 'sqlite' else 'day DIV 100'} ELSE month END"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM daily_sum")
        cursor.execute(
            f"INSERT INTO daily_sum (day, {_PLACE}, month, slot, count, parts, {', '.join(_AMOUNTS)}) "
            f"SELECT day, {_PLACE}, {month}, 0, {sums} FROM ({days}) AS dated GROUP BY {_EIGHT}"
        )


class Migration(migrations.Migration):
    dependencies = [("store", "0008_money")]

    operations = [migrations.RunPython(fill_sums, migrations.RunPython.noop)]
