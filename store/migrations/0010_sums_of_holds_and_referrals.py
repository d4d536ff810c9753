"""Daily sums that tell what is held, by which terms a referrer gets its part, and what details say to reports.

Their key has more in it now, so the table is made anew, and filled from charges and details as core/report.py counts
them. A day is that of the id of the entry, or of its own where there is none: an id bears milliseconds since 2020 in
its upper bits (core/ids.py). What was summed in between is summed anew.

Rule: it may be run again, wherever it was broken off: MariaDB takes no change of a table back.
"""

from django.db import migrations, models

import store.models.fields

_AMOUNTS = ("price", "vat", "operator_part", "partner_part", "referral_part", "ours", "suspense", "base")
_KEY = ("currency", "operator_id", "short_code", "service_id", "partner_id", "kind", "month", "referral_id", "held")
# By position: the two databases differ in what a name means here, a column or what is selected.
_TEN = ", ".join(map(str, range(1, 11)))
_DAY = {
    "sqlite": "CAST(strftime('%Y%m%d', day_number * 86400, 'unixepoch') AS INTEGER)",
    "mysql": "CAST(DATE_FORMAT(DATE_ADD('1970-01-01', INTERVAL day_number DAY), '%Y%m%d') AS SIGNED)",
}
_SIGNED = {"sqlite": "INTEGER", "mysql": "SIGNED"}
_RELEASED, _PAID, _WRITTEN_OFF = 100, 101, 102


def _day_number(vendor, id_):
    return f"((({id_}) >> 22) + 1577836800000) {'/' if vendor == 'sqlite' else 'DIV'} 86400000"


def _charges(vendor, key, parts, source):
    """Charges of a table `c`, by whom they concern; those that are voided do not count, others without amounts."""
    booked = "CASE WHEN c.charge_state = 2 THEN COALESCE(c.entry_id, c.id) ELSE c.id END"
    named = {name: f"c.{name}" for name in _KEY} | key
    columns = ", ".join(f"{value} AS {name}" for name, value in named.items())
    sums = ", ".join(f"SUM(CASE WHEN c.charge_state = 2 THEN c.{name} ELSE 0 END) AS {name}" for name in _AMOUNTS)
    return (
        f"SELECT {_day_number(vendor, booked)} AS day_number, {columns}, COUNT(*) AS messages, SUM({parts}) AS parts, "
        f"{sums} FROM {source} WHERE c.charge_state <> 3 GROUP BY {_TEN}"
    )


def _details(vendor, key, moved, source):
    """Details `d`, by whom they concern; `moved` says what of them stands in which column."""
    named = {name: "0" for name in _KEY} | {"currency": "d.currency", "short_code": "''", "month": "d.month"} | key
    columns = ", ".join(f"{value} AS {name}" for name, value in named.items())
    amounts = {name: "0" for name in ("messages", "parts", *_AMOUNTS)} | moved
    # MariaDB may hold a sum of mixed signs as it pleases: it is told that it has one.
    sums = ", ".join(f"CAST(SUM({value}) AS {_SIGNED[vendor]}) AS {name}" for name, value in amounts.items())
    return (
        f"SELECT {_day_number(vendor, 'd.entry_id')} AS day_number, {columns}, {sums} FROM {source} GROUP BY {_TEN}"
    )


def _released(vendor, held):
    """Holds that were let go: from what is held, with `held` 1, to what is not."""
    amount = "CASE WHEN debit.address LIKE '%:held' THEN d.amount ELSE -d.amount END"
    place = {
        "operator_id": "COALESCE(mo.operator_id, 0)", "short_code": "COALESCE(mo.short_code, '')",
        "service_id": "COALESCE(mo.service_id, 0)", "partner_id": "d.partner_id", "kind": str(_RELEASED),
        "held": str(held),
    }  # fmt: skip
    counts = {"messages": "1 - " + str(held), "parts": f"(1 - {held}) * COALESCE(mo.parts, 1)"}
    return _details(
        vendor,
        place,
        {**counts, "partner_part": f"(1 - 2 * {held}) * ({amount})"},
        "detail d JOIN account debit ON debit.id = d.debit_id LEFT JOIN mo ON mo.id = d.message_id "
        "WHERE d.kind = 'hold_released'",
    )


def _came_off(vendor, own, other, sign):
    """What came off a receivable on the side `own` without a charge, or with another sign on it."""
    address = {"sqlite": "'operator:' || o.code || ':receivable'", "mysql": "CONCAT('operator:', o.code, ':receivable')"}
    money = "a.address LIKE 'bank:%' OR a.address LIKE 'provider:%'"
    return _details(
        vendor,
        {"operator_id": "o.id", "kind": f"CASE WHEN {money} THEN {_PAID} ELSE {_WRITTEN_OFF} END"},
        {"messages": "1", "price": f"{sign} * d.amount"},
        f"operator o JOIN account r ON r.address = {address[vendor]} JOIN detail d ON d.{own}_id = r.id "
        f"JOIN account a ON a.id = d.{other}_id",
    )


def fill_sums(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    own = _charges(vendor, {"kind": "CASE WHEN c.charge_state = 0 THEN 0 ELSE 1 END"}, "c.parts", "mo c")
    rest = _charges(
        vendor,
        {
            "short_code": "COALESCE(mo.short_code, CASE WHEN mt.kind = 2 THEN mt.source ELSE '' END, '')",
            "service_id": "COALESCE(mo.service_id, 0)",
        },
        "COALESCE(mo.parts, mt.parts, 1)",
        "charge c LEFT JOIN mo ON mo.id = c.message_id LEFT JOIN mt ON mt.id = c.message_id",
    )
    told = [_released(vendor, 1), _released(vendor, 0)]
    told += [_came_off(vendor, "credit", "debit", 1), _came_off(vendor, "debit", "credit", -1)]
    sums = ", ".join(f"SUM({name})" for name in ("messages", "parts", *_AMOUNTS))
    days = f"SELECT {_DAY[vendor]} AS day, booked.* FROM ({' UNION ALL '.join([own, rest, *told])}) AS booked"
    # What has no charge has no month: that of its day.
    month = f"CASE WHEN kind = 0 THEN {'day / 100' if vendor == 'sqlite' else 'day DIV 100'} ELSE month END"
    columns = ", ".join(month if name == "month" else name for name in _KEY)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM daily_sum")
        cursor.execute(
            f"INSERT INTO daily_sum (day, {', '.join(_KEY)}, slot, count, parts, {', '.join(_AMOUNTS)}) "
            f"SELECT day, {columns}, 0, {sums} FROM ({days}) AS dated GROUP BY {_TEN}"
        )


class Migration(migrations.Migration):
    dependencies = [("store", "0009_daily_sums")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("DROP TABLE IF EXISTS daily_sum", migrations.RunSQL.noop)],
            state_operations=[migrations.DeleteModel("DailySum")],
        ),
        migrations.CreateModel(
            name="DailySum",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "currency", "operator_id", "short_code", "service_id", "partner_id", "kind", "month",
                        "referral_id", "held", "slot", blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                ),
                ("day", models.IntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("operator_id", store.models.fields.ReferenceField()),
                ("short_code", store.models.fields.CodeField(max_length=20)),
                ("service_id", store.models.fields.ReferenceField()),
                ("partner_id", store.models.fields.ReferenceField()),
                ("kind", models.SmallIntegerField()),
                ("month", store.models.fields.MonthField()),
                ("referral_id", store.models.fields.ReferenceField()),
                ("held", models.SmallIntegerField()),
                ("slot", models.SmallIntegerField()),
                ("count", models.BigIntegerField()),
                ("parts", models.BigIntegerField()),
                ("price", store.models.fields.MicrosField()),
                ("vat", store.models.fields.MicrosField()),
                ("operator_part", store.models.fields.MicrosField()),
                ("partner_part", store.models.fields.MicrosField()),
                ("referral_part", store.models.fields.MicrosField()),
                ("ours", store.models.fields.MicrosField()),
                ("suspense", store.models.fields.MicrosField()),
                ("base", store.models.fields.MicrosField()),
            ],
            options={
                "db_table": "daily_sum",
                "indexes": [models.Index(fields=["partner_id", "day"], name="daily_sum_by_partner")],
            },
        ),
        migrations.RunPython(fill_sums, migrations.RunPython.noop),
    ]  # fmt: skip
